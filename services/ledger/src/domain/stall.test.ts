// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDue, tellingsBy, withoutEffect } from './stall.ts';

const STALL_MS = 15_000;
const TELLINGS: readonly (readonly [number, number])[] = [
  [Number.NEGATIVE_INFINITY, 0],
  [0, 0],
  [14, 0],
  [15, 1],
  [44, 1],
  [45, 2],
  [105, 3],
  [225, 4],
  [465, 5],
  [764, 5],
  [765, 6],
  [1_065, 7],
];

for (const [seconds, told] of TELLINGS) {
  test(`a chain that stands still for ${seconds} s was to be told ${told} times`, () => {
    assert.equal(tellingsBy(seconds * 1_000, STALL_MS), told);
  });
}

test('a chain is due in exactly one of two rounds that follow each other', () => {
  const rounds = Array.from({ length: 80 }, (_, n) => ({ from: n * 15_000, to: (n + 1) * 15_000 }));
  const due = rounds.filter((round) => isDue(7_000, round, STALL_MS));
  assert.equal(due.length, tellingsBy(80 * 15_000 - 7_000, STALL_MS));
});

test('what has an effect is not told again, but the last entry is', () => {
  const chain = [
    { id: 'a', type: 'acquisition.requested.v1', speaker: 'gateway' },
    { id: 'b', type: 'target.resolved.v1', speaker: 'discovery', cause: 'a' },
    { id: 'c', type: 'evidence.accessed.v1', speaker: 'gateway' },
    { id: 'd', type: 'conflict.noticed.v1', speaker: 'ledger', cause: 'b' },
  ];
  assert.deepEqual(
    withoutEffect(chain).map(({ id }) => id),
    ['b', 'd'],
  );
  assert.deepEqual(withoutEffect([]), []);
});

test('what several have to answer is told again until all of them have', () => {
  const chain = [
    { id: 'a', type: 'target.resolved.v1', speaker: 'discovery' },
    { id: 'b', type: 'access.checked.v1', speaker: 'rbac-checker', cause: 'a' },
    { id: 'c', type: 'acquisition.assigned.v1', speaker: 'coordinator', cause: 'b' },
  ];
  const idsOf = (entries: typeof chain) => withoutEffect(entries).map(({ id }) => id);
  assert.deepEqual(idsOf(chain), ['a', 'c']);
  const context = { id: 'd', type: 'context.captured.v1', speaker: 'discovery', cause: 'a' };
  assert.deepEqual(idsOf([...chain, context]), ['c', 'd']);
});
