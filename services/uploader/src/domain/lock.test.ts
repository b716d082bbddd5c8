// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timeOf } from '@impound/contracts/time.ts';
import { isEnough, type Lock, untilMs } from './lock.ts';

const NOW_MS = Date.parse('2026-11-28T00:00:00.400Z');
const HOUR_MS = 3_600_000;
const LOCK: Lock = { mode: 'governance', days: 2, now: () => NOW_MS };
const held = (mode: 'none' | 'governance' | 'compliance', hours: number) => ({
  mode,
  until: timeOf(NOW_MS + hours * HOUR_MS),
});

test('a lock ends with a whole second, and not too early', () => {
  assert.equal(new Date(untilMs(LOCK)).toISOString(), '2026-11-30T00:00:01.000Z');
});

const CASES = [
  ['nothing', { mode: 'none' }, 'governance', false],
  ['the same time', held('governance', 48), 'governance', true],
  ['an hour less', held('governance', 47), 'governance', true],
  ['a day less', held('governance', 24), 'governance', false],
  ['a laxer mode', held('governance', 480), 'compliance', false],
  ['a stricter mode', held('compliance', 48), 'governance', true],
] as const;

for (const [name, before, mode, enough] of CASES) {
  test(`an object held by ${name} ${enough ? 'needs no' : 'needs a'} lock of ${mode}`, () => {
    assert.equal(isEnough(before, { ...LOCK, mode }), enough);
  });
}
