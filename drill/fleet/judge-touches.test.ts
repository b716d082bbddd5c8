// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry } from '@impound/contracts/entry.ts';
import { judgeTouches, type Touch } from './judge-touches.ts';

const ACQ = '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01';
const BEGAN_MS = Date.parse('2026-11-23T09:15:00.000Z');

function entry(type: string, second: number, data: object): Entry {
  const recordedAt = new Date(BEGAN_MS + second * 1_000).toISOString();
  return { acq: ACQ, recordedAt, event: { type, data } } as Entry;
}

/** Epoch 1 is claimed after 1 s and over after 10 s, epoch 2 is claimed after 12 s. */
const CHAIN = [
  entry('acquisition.requested.v1', 0, { target: { pod: 'cart' } }),
  entry('execution.started.v1', 1, { epoch: 1, worker: 'w-1' }),
  entry('execution.lapsed.v1', 10, { epoch: 1 }),
  entry('execution.started.v1', 12, { epoch: 2, worker: 'w-2' }),
];

function touch(worker: string, from: number, to?: number): Touch {
  const overMs = to === undefined ? undefined : BEGAN_MS + to * 1_000;
  return { pod: 'cart', worker, what: 'exec', atMs: BEGAN_MS + from * 1_000, overMs };
}

test('touches of a holder, one after the other, are as promised', () => {
  const judged = judgeTouches([CHAIN], [touch('w-1', 2, 3), touch('w-1', 3, 4), touch('w-2', 12)]);
  assert.deepEqual(judged, { touches: 3, late: [], findings: [] });
});

test('a touch before the claim, or by somebody without one, is found out', () => {
  const judged = judgeTouches([CHAIN], [touch('w-1', 0.5, 2), touch('w-9', 2, 3)]);
  assert.equal(judged.findings.length, 2, judged.findings.join('\n'));
  assert.match(judged.findings.join(), /no claim was on record/);
});

test('two touches at once under one epoch are found out', () => {
  const judged = judgeTouches([CHAIN], [touch('w-1', 2, 4), touch('w-1', 3, 5)]);
  assert.match(judged.findings.join(), /epoch 1: exec beside exec/);
});

test('a worker that holds two acquisitions of one pod may touch it for each of them', () => {
  const other = [
    entry('acquisition.requested.v1', 0, { target: { pod: 'cart' } }),
    entry('execution.started.v1', 2, { epoch: 1, worker: 'w-1' }),
  ];
  const two = [touch('w-1', 3, 9), touch('w-1', 4, 9)];
  assert.deepEqual(judgeTouches([CHAIN, other], two).findings, []);
  const three = [...two, touch('w-1', 5, 6)];
  assert.match(judgeTouches([CHAIN, other], three).findings.join(), /exec beside exec/);
});

test('a touch after the end of its epoch is counted as late', () => {
  const { late } = judgeTouches([CHAIN], [touch('w-1', 14, 15)]);
  assert.deepEqual(late, [{ acquisitionId: ACQ, epoch: 1, worker: 'w-1', afterMs: 4_000 }]);
});
