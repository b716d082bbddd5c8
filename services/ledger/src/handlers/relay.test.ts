// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonical } from '@impound/contracts/canonical.ts';
import { entryText, NO_PREVIOUS } from '@impound/contracts/entry.ts';
import { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';
import type { Telling } from '@impound/runtime/relay.ts';
import type { StoredEntry } from '../domain/telling.ts';
import { behind, relaying } from './relay.ts';

const ACQ = '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01';
const TIME = '2026-11-23T09:15:00.000000Z';

function entryAt(seq: number): StoredEntry {
  const event = canonical({
    specversion: '1.0',
    id: `0199f5a2-7c3e-7a10-8f52-${seq.toString(16).padStart(12, '0')}`,
    source: '/impound/discovery/d-1',
    type: 'target.missing.v1',
    subject: ACQ,
    time: TIME,
    datacontenttype: 'application/json',
    tenant: 'default',
    data: TargetMissingV1.example,
  });
  const salt = 'AAAAAAAAAAAAAAAAAAAAAA==';
  const head = { acq: ACQ, acqSeq: seq + 1, acqPrev: NO_PREVIOUS, recordedAt: TIME, salt };
  return { seq, hash: NO_PREVIOUS, text: entryText(head, event) };
}

/** A log of `size` entries of one open chain, and a stream that refuses what it is told to. */
function scene(size: number, toldSeq: number | undefined, refuses: (seq: number) => boolean) {
  const told: Telling[] = [];
  const levels: string[] = [];
  const page = async (from: number, to: number, limit: number) =>
    Array.from({ length: Math.min(to - from, limit) }, (_, n) => entryAt(from + n));
  const phrase = (level: string) => () => void levels.push(level);
  let seen = toldSeq;
  return {
    told,
    levels,
    from: {
      size,
      stallMs: 60_000,
      watchReturns: () => undefined,
      log: {
        size: async () => size,
        entries: page,
        unheard: page,
        stalled: async () => [],
        chain: async () => [],
      },
      stream: {
        lay: async () => ({ toldSeq: seen }),
        waiting: async () => () => false,
        tell: async (telling: Telling) => {
          if (refuses(telling.seq)) throw new Error('not taken');
          told.push(telling);
          seen = telling.seq;
        },
      },
      logging: {
        debug: phrase('debug'),
        info: phrase('info'),
        warn: phrase('warn'),
        error: phrase('error'),
      },
    },
  };
}

async function runUntil(it: ReturnType<typeof scene>, isSo: () => boolean): Promise<void> {
  const stop = new AbortController();
  const { ended } = relaying(it.from, stop.signal);
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  await ended;
}

test('the relay goes on after what the stream was told last', async () => {
  const it = scene(300, 9, () => false);
  await runUntil(it, () => it.told.length === 290);
  assert.deepEqual(
    it.told.map(({ seq, again }) => [seq, again]),
    Array.from({ length: 290 }, (_, n) => [n + 10, undefined]),
  );
});

test('what the stream did not take is told again, also where it took what came after', async () => {
  let refusals = 0;
  const it = scene(8, 0, (seq) => seq === 3 && refusals++ === 0);
  await runUntil(it, () => it.told.filter(({ seq }) => seq === 7).length === 2);
  assert.deepEqual(
    it.told.map(({ seq }) => seq),
    [1, 2, 4, 5, 6, 7, 3, 4, 5, 6, 7],
  );
});

test('an empty stream is told the open chains, each message under its own number', async () => {
  const it = scene(5, undefined, () => false);
  await runUntil(it, () => it.levels.includes('warn'));
  const numbers = it.told.map(({ again }) => Number(again));
  assert.deepEqual(
    it.told.map(({ seq }) => seq),
    [0, 1, 2, 3, 4],
  );
  assert.equal(new Set(numbers).size, 5);
  assert.ok(numbers.every((number) => number > 0));
});

test('a stream that was told more than the log holds is told nothing', async () => {
  const it = scene(5, 5, () => false);
  await runUntil(it, () => it.levels.includes('error'));
  assert.equal(it.told.length, 0);
  assert.match(behind(5, 5).message, /told entry 5, the database has 5/);
});
