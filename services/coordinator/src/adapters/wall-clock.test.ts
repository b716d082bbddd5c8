// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { wallClock } from './wall-clock.ts';

const BEGIN_MS = 1_000_000;

/** A clock whose time a test moves, and what was done by it. */
function driven(t: TestContext, fails = false) {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: BEGIN_MS });
  const stop = new AbortController();
  const done: string[] = [];
  const act = (what: string) => async () => {
    done.push(`${what} ${Date.now() - BEGIN_MS}`);
    if (fails) throw new Error(`no ${what}`);
  };
  const troubled = (error: unknown) => void done.push(String(error));
  const clock = wallClock({ troubled, sweepMs: 100 }, stop.signal);
  clock.drive({ sweep: act('sweep'), ring: act('ring') });
  const pass = async (milliseconds: number) => {
    t.mock.timers.tick(milliseconds);
    for (let turn = 0; turn < 8; turn++) await Promise.resolve();
  };
  return { clock, done, pass, stop };
}

test('it sweeps at once and after each pause', async (t) => {
  const { done, pass } = driven(t);
  await pass(0);
  await pass(100);
  await pass(100);
  assert.deepEqual(done, ['sweep 0', 'sweep 100', 'sweep 200']);
});

test('it rings once at the moment that was set last', async (t) => {
  const { clock, done, pass } = driven(t);
  await pass(0);
  for (const after of [20, undefined, 80, 50]) clock.wake(after && BEGIN_MS + after);
  await pass(49);
  await pass(1);
  await pass(40);
  assert.deepEqual(done, ['sweep 0', 'ring 50']);
});

test('a moment that has passed rings at once, one in centuries does not', async (t) => {
  const { clock, done, pass } = driven(t);
  await pass(0);
  clock.wake(BEGIN_MS + 8e15);
  await pass(1);
  clock.wake(BEGIN_MS - 5);
  await pass(1);
  assert.deepEqual(done, ['sweep 0', 'ring 2']);
});

test('what fails is told, and tried again', async (t) => {
  const { done, pass } = driven(t, true);
  await pass(0);
  await pass(100);
  assert.deepEqual(done, ['sweep 0', 'Error: no sweep', 'sweep 100', 'Error: no sweep']);
});

test('it stands still once it is stopped', async (t) => {
  const { clock, done, pass, stop } = driven(t);
  await pass(0);
  clock.wake(BEGIN_MS + 10);
  stop.abort();
  clock.wake(BEGIN_MS + 20);
  await pass(1_000);
  assert.deepEqual(done, ['sweep 0']);
});
