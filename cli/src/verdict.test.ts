// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXIT } from './exit-code.ts';
import { exitOf } from './verdict.ts';

const ENDS: readonly (readonly [readonly string[], number])[] = [
  [[], EXIT.ok],
  [['bag-file-mismatch'], EXIT.findings],
  [['object-not-sealed'], EXIT.findings],
  [['chain-broken'], EXIT.chain],
  [['signature-refused'], EXIT.signature],
  [['proof-refused'], EXIT.proof],
  [['quorum-unmet'], EXIT.witness],
  [['quorum-unmet', 'chain-broken'], EXIT.chain],
  [['chain-broken', 'proof-refused'], EXIT.proof],
  [['proof-refused', 'signature-missing'], EXIT.signature],
  [['signature-missing', 'bag-file-extra'], EXIT.findings],
];
for (const [codes, exit] of ENDS) {
  test(`verifying ends with ${exit} where it found ${codes.join(' and ') || 'nothing'}`, () => {
    assert.equal(exitOf(codes.map((code) => ({ code }))), exit);
  });
}
