// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffMs, unlessAborted, wait } from './wait.ts';

const BOUNDS = [
  [1, 50, 100],
  [2, 100, 200],
  [3, 200, 400],
  [6, 1_600, 3_200],
  [7, 2_500, 5_000],
  [60, 2_500, 5_000],
  [Number.MAX_SAFE_INTEGER, 2_500, 5_000],
] as const;

for (const [attempt, least, most] of BOUNDS) {
  test(`the wait before attempt ${attempt} lies between ${least} and ${most} ms`, () => {
    for (let n = 0; n < 200; n++) {
      const ms = backoffMs(attempt);
      assert.ok(Number.isInteger(ms) && ms >= least && ms <= most, String(ms));
    }
  });
}

test('waits differ, so that those who wait do not come back together', () => {
  assert.ok(new Set(Array.from({ length: 50 }, () => backoffMs(9))).size > 10);
});

test('its own first and longest wait are kept', () => {
  for (let n = 0; n < 100; n++) assert.ok(backoffMs(40, 7, 20) <= 20);
  for (let n = 0; n < 100; n++) assert.ok(backoffMs(1, 7, 20) <= 7);
});

test('a wait ends early and without an error where its signal aborts', async () => {
  const stop = new AbortController();
  const waiting = wait(60_000, stop.signal);
  stop.abort(new Error('stop'));
  await waiting;
  await wait(60_000, AbortSignal.abort());
});

test('a wait lasts as long as it should', async () => {
  const started = performance.now();
  await wait(20, new AbortController().signal);
  assert.ok(performance.now() - started >= 18);
});

test('a promise is given up with the reason of the signal and not before', async () => {
  const stop = new AbortController();
  assert.equal(await unlessAborted(Promise.resolve(1), stop.signal), 1);
  await assert.rejects(unlessAborted(Promise.reject(new Error('own')), stop.signal), /own/);
  const { promise, reject } = Promise.withResolvers<number>();
  const given = unlessAborted(promise, stop.signal);
  stop.abort(new Error('enough'));
  await assert.rejects(given, /enough/);
  reject(new Error('too late for anybody'));
  await assert.rejects(unlessAborted(Promise.resolve(1), stop.signal), /enough/);
});
