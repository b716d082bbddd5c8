// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { enoughAlone, operatorOfLog } from './operators.ts';
import { parsePolicy } from './policy.ts';
import { formatVkey, KEY_TYPES, rawPublicKey, vkey } from './vkey.ts';

function witness(name: string, of: string, url = ''): string {
  const key = rawPublicKey(generateKeyPairSync('ed25519').privateKey);
  const text = of === '' ? key.toString('hex') : formatVkey(vkey(of, KEY_TYPES.cosignature, key));
  return `witness ${name} ${text} ${url}\n`;
}

const A = witness('a', 'w1.example.net/1');
const B = witness('b', 'w2.example.net/1');
const C = witness('c', 'witness.example.org/7');
const HEX = witness('h', '', 'https://witness.example.com:8443/prefix');
const BARE = witness('x', '');

const POLICIES: readonly (readonly [string, string, readonly string[]])[] = [
  ['two of one operator', `${A}${B}group all2 all a b\nquorum all2\n`, ['example.net']],
  ['two of two', `${A}${C}group two all a c\nquorum two\n`, []],
  ['one of two', `${A}${C}group any1 any a c\nquorum any1\n`, ['example.net', 'example.org']],
  ['two of three', `${A}${B}${C}group two 2 a b c\nquorum two\n`, ['example.net']],
  ['one by its address', `${HEX}quorum h\n`, ['example.com']],
  ['one that tells of nobody', `${BARE}${C}group two all x c\nquorum two\n`, []],
  ['none', 'quorum none\n', []],
];

for (const [what, text, alone] of POLICIES) {
  test(`whose word alone is enough, by a policy of ${what}`, () => {
    assert.deepEqual(enoughAlone(parsePolicy(text)), alone);
  });
}

test('the operator of a log is read from its origin, where that tells', () => {
  assert.equal(operatorOfLog('ledger.example.org/custody/1'), 'example.org');
  assert.equal(operatorOfLog('ledger'), undefined);
});
