// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Progress } from '@impound/contracts/progress.ts';
import { assigned, BEGIN_MS, ID, ready, started, told, WORKER } from '../../test/story.ts';
import { hearing } from './hearing.ts';

const state = told(...ready(['exec-stream', 'allowed']), assigned(1), started(1));
const beat = (worker = WORKER, epoch = 1) => ({ acquisitionId: ID, worker, epoch }) as Progress;

test('whoever has just begun to listen has heard everybody', () => {
  assert.equal(hearing(BEGIN_MS).lastHeardMs(state, 1), BEGIN_MS);
});

test('the holder of an epoch is heard, and with it its executor', () => {
  const ears = hearing(BEGIN_MS);
  assert.equal(ears.executorHeardMs('kubernetes'), BEGIN_MS);
  ears.learn(state);
  ears.heard(beat(), BEGIN_MS + 7);
  assert.equal(ears.lastHeardMs(state, 1), BEGIN_MS + 7);
  assert.equal(ears.executorHeardMs('kubernetes'), BEGIN_MS + 7);
});

test('an executor is heard by every claim, and not anew when the chain is read again', () => {
  const ears = hearing(BEGIN_MS);
  const claimedAt = (afterMs: number) =>
    told(...ready(['exec-stream', 'allowed']), assigned(1), started(1, afterMs));
  ears.learn(claimedAt(9_000));
  ears.learn(claimedAt(2_000));
  assert.equal(ears.executorHeardMs('kubernetes'), BEGIN_MS + 9_000);
  assert.equal(ears.executorHeardMs('ecs'), BEGIN_MS, 'it is another one');
});

test('other epochs, other workers and unknown acquisitions are not heard', () => {
  const ears = hearing(BEGIN_MS);
  ears.heard(beat(), BEGIN_MS + 7);
  ears.learn(state);
  ears.heard(beat('k8s-2'), BEGIN_MS + 7);
  ears.heard(beat(WORKER, 2), BEGIN_MS + 7);
  assert.equal(ears.lastHeardMs(state, 1), BEGIN_MS);
});

test('a silence of the ledger is a silence of everybody: listening begins again', () => {
  const ears = hearing(BEGIN_MS);
  ears.answered(BEGIN_MS + 10_000);
  assert.equal(ears.lastHeardMs(state, 1), BEGIN_MS);
  ears.answered(BEGIN_MS + 70_000);
  assert.equal(ears.lastHeardMs(state, 1), BEGIN_MS + 70_000);
  assert.equal(ears.executorHeardMs('kubernetes'), BEGIN_MS + 70_000);
});
