// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRange } from './byte-range.ts';

const BYTES = 100;
const CASES = [
  [undefined, undefined],
  ['bytes=0-9', { start: 0, end: 10 }],
  ['bytes=90-', { start: 90, end: 100 }],
  ['bytes=90-999', { start: 90, end: 100 }],
  ['bytes=-10', { start: 90, end: 100 }],
  ['bytes=-999', { start: 0, end: 100 }],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=100-', 'unsatisfiable'],
  ['bytes=100-200', 'unsatisfiable'],
  ['bytes=9-0', undefined],
  ['bytes=-', undefined],
  ['bytes=0-1,5-6', undefined],
  ['lines=0-1', undefined],
  ['bytes=0x1-2', undefined],
  [`bytes=${'9'.repeat(16)}-`, undefined],
] as const;

for (const [header, expected] of CASES) {
  test(`Range "${header}" of 100 bytes is ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(readRange(header, BYTES), expected);
  });
}

test('an empty object has no bytes to ask for', () => {
  assert.equal(readRange('bytes=0-', 0), 'unsatisfiable');
});
