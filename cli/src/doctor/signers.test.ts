// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SIGNING_SERVICES } from '@impound/contracts/signing-services.ts';
import { signerFinding } from './signers.ts';

const KEY = `${'A'.repeat(43)}=`;
const listed = Object.fromEntries(SIGNING_SERVICES.map((one) => [one, [{ publicKey: KEY }]]));
const held = new Map(SIGNING_SERVICES.map((one) => [one, KEY]));

test('executors, discovery and the uploader sign, and nobody else does', () => {
  assert.deepEqual(SIGNING_SERVICES, ['discovery', 'executor-kubernetes', 'uploader']);
});

test('services that sign by listed keys are well, also where nobody can look at the keys', () => {
  assert.equal(signerFinding({ listed, held }).verdict, 'ok');
  const unseen = signerFinding({ listed, held: undefined });
  assert.equal(unseen.verdict, 'ok');
  assert.match(unseen.what, /whoever lacks it logs "not taken as it is signed"$/);
});

test('a service without a listed key is named, and what it means', () => {
  const { uploader: _uploader, ...others } = listed;
  const found = signerFinding({ listed: others, held });
  assert.equal(found.verdict, 'advice');
  assert.match(found.what, /^uploader: no key is listed/);
  assert.equal(signerFinding({ listed: undefined, held: undefined }).verdict, 'advice');
});

test('a service whose key is missing, or another one, is sick', () => {
  for (const key of [undefined, `${'B'.repeat(42)}A=`]) {
    const other = new Map(held);
    if (key === undefined) other.delete('uploader');
    else other.set('uploader', key);
    const found = signerFinding({ listed, held: other });
    assert.equal(found.verdict, 'sick');
    assert.match(found.what, /^uploader: its key is missing, or not the one/);
  }
});
