// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LEASE_MS } from '@impound/contracts/progress.ts';
import { timeOf } from '@impound/contracts/time.ts';
import {
  assigned,
  at,
  BEGIN_MS,
  captured,
  failed,
  HOUR_MS,
  lapsed,
  ready,
  started,
  stored,
  told,
  WORKER,
} from '../../test/story.ts';
import { executing } from './executing.ts';
import { CLAIM_BUSY_MS_MAX, CLAIM_MS } from './limits.ts';

const ASSIGNED = [...ready(['exec-stream', 'allowed']), assigned(1)];
const RUNNING = [...ASSIGNED, started(1, 1_000)];
const typeOf = (decision: ReturnType<typeof executing>) => decision?.say?.contract.type;
const wake = (afterMs: number) => ({ wakeAtMs: BEGIN_MS + afterMs });

test('an assignment lapses when nobody has claimed it in time', () => {
  assert.deepEqual(executing(told(...ASSIGNED), at(CLAIM_MS - 1)), wake(CLAIM_MS));
  const { say } = executing(told(...ASSIGNED), at(CLAIM_MS)) ?? {};
  const because = 'executor kubernetes did not claim the assignment';
  assert.deepEqual(say?.data, { epoch: 1, because });
});

test('each assignment in a row that nobody claims waits twice as long as the one before', () => {
  const away = [...ready(['exec-stream', 'allowed']), assigned(1), lapsed(1)];
  const third = told(...away, assigned(2), lapsed(2), assigned(3));
  assert.deepEqual(executing(third, at(0)), wake(4 * CLAIM_MS));
  const back = told(...away, assigned(2), started(2), lapsed(2), assigned(3));
  assert.deepEqual(executing(back, at(0)), wake(CLAIM_MS));
});

test('an executor that is heard at other work gets longer to claim, but not for ever', () => {
  const heard = { executorHeardMs: () => BEGIN_MS + CLAIM_MS };
  const endMs = CLAIM_MS + LEASE_MS;
  assert.deepEqual(executing(told(...ASSIGNED), at(endMs - 1, heard)), wake(endMs));
  assert.equal(typeOf(executing(told(...ASSIGNED), at(endMs, heard))), 'execution.lapsed.v1');
  const always = { executorHeardMs: () => BEGIN_MS + CLAIM_BUSY_MS_MAX };
  const late = executing(told(...ASSIGNED), at(CLAIM_BUSY_MS_MAX, always));
  assert.equal(typeOf(late), 'execution.lapsed.v1');
});

test('a claim is a heartbeat: the lease runs from there', () => {
  const endMs = 1_000 + LEASE_MS;
  assert.deepEqual(executing(told(...RUNNING), at(endMs - 1)), wake(endMs));
  const { say } = executing(told(...RUNNING), at(endMs)) ?? {};
  assert.deepEqual(say?.data, {
    epoch: 1,
    because: `worker ${WORKER} was not heard for 30 s`,
    lastHeardAt: timeOf(BEGIN_MS + 1_000),
  });
});

test('a worker that is heard keeps its lease', () => {
  const heard = { lastHeardMs: (epoch: number) => BEGIN_MS + 40_000 * epoch };
  assert.deepEqual(executing(told(...RUNNING), at(60_000, heard)), wake(40_000 + LEASE_MS));
});

test('a lease that would end after the deadline wakes at the deadline', () => {
  const heard = { lastHeardMs: () => BEGIN_MS + HOUR_MS - 1 };
  assert.deepEqual(executing(told(...RUNNING), at(HOUR_MS - 1, heard)), wake(HOUR_MS));
});

test('a capture that is being stored has no limit but the deadline', () => {
  const state = told(...RUNNING, captured(1));
  assert.deepEqual(executing(state, at(HOUR_MS - 1)), wake(HOUR_MS));
});

test('an epoch that is over is nothing to wait for', () => {
  assert.equal(executing(told(...RUNNING, failed(1)), at(0)), undefined);
  assert.equal(executing(told(...RUNNING, captured(1), stored(1)), at(0)), undefined);
});
