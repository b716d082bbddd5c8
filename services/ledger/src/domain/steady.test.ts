// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tools } from './batch.ts';
import { steady } from './steady.ts';

const at = (second: number) => `2026-11-23T09:15:${String(second).padStart(2, '0')}.000000Z`;

function clock(...seconds: number[]): Tools {
  return { now: () => at(seconds.shift() ?? 0) } as Tools;
}

test('a clock that is set back stands still for the log, and goes on once it has caught up', () => {
  const tools = steady(clock(5, 3, 4, 6));
  assert.deepEqual([tools.now(), tools.now(), tools.now(), tools.now()], [5, 5, 5, 6].map(at));
});

test('a log that another clock wrote ahead of ours is not gone behind', () => {
  const tools = steady(clock(5, 30), at(20));
  assert.deepEqual([tools.now(), tools.now()], [20, 30].map(at));
});
