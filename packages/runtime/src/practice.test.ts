// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVENTS } from '@impound/contracts/events.ts';
import * as z from 'zod';
import { type Exercise, practise } from './practice.ts';
import { type AnyService, on, service } from './service.ts';

const { signal } = new AbortController();

function practising(exercises: readonly Exercise[], handled: () => void = () => undefined) {
  return service({
    name: 'coordinator',
    config: z.object({}),
    open: async () => ({}),
    says: EVENTS,
    hears: EVENTS.map((contract) => on(contract, async () => void handled())),
    answers: [],
    practice: async () => exercises,
  } as unknown as AnyService);
}

test('the specimen of every event can be said and heard, and nobody handles it', async () => {
  const done: string[] = [];
  const exercise = () => done.push('practised');
  const one = practising([exercise], () => void done.push('handled'));
  await practise(one, signal, 3);
  assert.deepEqual(done, ['practised', 'practised', 'practised']);
});

test('whoever is to stop practises no further', async () => {
  const stop = new AbortController();
  let done = 0;
  const exercise = () => {
    done += 1;
    if (done === 2) stop.abort();
  };
  await practise(practising([exercise]), stop.signal, 1_000);
  assert.equal(done, 2);
});

test('what comes meanwhile gets its turn', async () => {
  let [turns, done] = [0, 0];
  const slow = () => {
    done += 1;
    const until = performance.now() + 4;
    while (performance.now() < until);
  };
  const seen: number[] = [];
  const practised = practise(practising([slow]), signal, 5);
  const count = () => {
    turns += 1;
    seen.push(done);
    if (done < 5) setImmediate(count);
  };
  setImmediate(count);
  await practised;
  assert.ok(new Set(seen).size > 2, `${turns} turns, at ${seen.join()}`);
});
