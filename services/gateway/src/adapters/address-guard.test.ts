// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guardOf } from './address-guard.ts';

const FORBIDDEN = [
  ['127.0.0.1', 'this machine'],
  ['10.0.0.1', 'a private network'],
  ['172.31.255.255', 'a private network'],
  ['192.168.1.1', 'a private network'],
  ['169.254.169.254', 'the metadata of a cloud'],
  ['100.100.100.200', 'the metadata of a cloud'],
  ['0.0.0.0', 'no host'],
  ['224.0.0.1', 'many hosts'],
  ['255.255.255.255', 'all hosts'],
  ['::1', 'this machine'],
  ['::', 'no host'],
  ['::ffff:127.0.0.1', 'this machine in other clothes'],
  ['::ffff:7f00:1', 'this machine in other clothes'],
  ['::ffff:a9fe:a9fe', 'the metadata of a cloud in other clothes'],
  ['64:ff9b::7f00:1', 'a way to IPv4'],
  ['2002:7f00:1::', 'a way to IPv4'],
  ['2001:0:7f00:1::', 'a way to IPv4'],
  ['fe80::1', 'this link'],
  ['fe80::1%eth0', 'this link'],
  ['fd00:ec2::254', 'the metadata of a cloud'],
  ['ff02::1', 'many hosts'],
  ['2130706433', 'no address'],
  ['', 'no address'],
] as const;

for (const [address, what] of FORBIDDEN) {
  test(`${address || 'nothing'} is not called: it is ${what}`, () => {
    assert.equal(guardOf([]).allows(address), false);
  });
}

test('public addresses may be called, and networks that are granted', () => {
  const open = guardOf([]);
  for (const address of ['93.184.215.14', '2606:2800:21f:cb07:6820:80da:af6b:8b2c']) {
    assert.equal(open.allows(address), true, address);
    assert.equal(open.isOwn(address), false, address);
  }
  const guard = guardOf(['10.1.0.0/16', '127.0.0.0/8', 'fd00:1::/32']);
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', 'fd00:1::5']) {
    assert.deepEqual([guard.allows(address), guard.isOwn(address)], [true, false], address);
  }
  assert.equal(guard.allows('10.2.0.1'), false);
  assert.deepEqual([guard.isOwn('127.0.0.1'), guard.isOwn('::1')], [true, false]);
});

for (const network of ['10.0.0.0', '10.0.0.0/33', 'shop.example/8', '10.0.0.0/x', '/8', '']) {
  test(`${network || 'nothing'} is no network`, () => {
    assert.throws(() => guardOf([network]), TypeError);
  });
}
