// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clockFinding } from './clock.ts';

const OFFSETS: readonly (readonly [string, number, number, string])[] = [
  ['the same time', 0, 5, 'ok'],
  ['less than the answer took', 4_000, 3_000, 'ok'],
  ['three seconds behind', -3_000, 10, 'advice'],
  ['a minute ahead', 60_000, 10, 'sick'],
];
for (const [what, offsetMs, withinMs, verdict] of OFFSETS) {
  test(`a clock that shows ${what} is ${verdict}`, () => {
    assert.equal(clockFinding('the bus', { offsetMs, withinMs }).verdict, verdict);
  });
}

test('the way a clock is wrong is told', () => {
  const of = (offsetMs: number) => clockFinding('the bus', { offsetMs, withinMs: 0 }).what;
  assert.match(of(60_000), /60\.0 s ahead of/);
  assert.match(of(-60_000), /60\.0 s behind/);
});

test('a clock that nobody tells is not well', () => {
  assert.equal(clockFinding('the bus', undefined).verdict, 'unknown');
});
