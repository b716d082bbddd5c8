// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonical } from '@impound/contracts/canonical.ts';
import { entryText, NO_PREVIOUS } from '@impound/contracts/entry.ts';
import { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';
import { beginWalk, tellStalled } from './stalled.ts';

const ACQ = '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01';
const TIME = '2026-11-23T09:15:00.000000Z';
const STALL_MS = 15_000;

function entryAt(seq: number) {
  const id = `0199f5a2-7c3e-7a10-8f52-${seq.toString(16).padStart(12, '0')}`;
  const type = 'target.missing.v1';
  const event = canonical({
    specversion: '1.0',
    id,
    source: '/impound/discovery/d-1',
    type,
    subject: ACQ,
    time: TIME,
    datacontenttype: 'application/json',
    tenant: 'default',
    data: TargetMissingV1.example,
  });
  const salt = 'AAAAAAAAAAAAAAAAAAAAAA==';
  const head = { acq: ACQ, acqSeq: 1, acqPrev: NO_PREVIOUS, recordedAt: TIME, salt };
  return { seq, hash: NO_PREVIOUS, text: entryText(head, event), id, type, speaker: 'discovery' };
}

/** A house of chains of one entry each, and all that is told in rounds over it. */
function scene(chains: number, waiting: (subject: string, seq: number) => boolean) {
  const told: (number | 'new')[] = [];
  const all = Array.from({ length: chains }, (_, seq) => ({ acq: String(seq), seq, lastAtMs: 0 }));
  const from = {
    stallMs: STALL_MS,
    next: chains,
    stream: { waiting: async () => waiting },
    log: {
      stalled: async (after: number, _before: number, limit: number) =>
        all.slice(after + 1, after + 1 + limit),
      chain: async (acq: string) => [entryAt(Number(acq))],
    },
  };
  const ways = (isNew: boolean) => ({
    tellNew: async () => {
      if (isNew) told.push('new');
      return isNew;
    },
    tellAgain: async (entries: readonly { readonly seq: number }[]) =>
      void told.push(...entries.map(({ seq }) => seq)),
  });
  return { from, ways, told };
}

test('what waits in the stream for all who hear it is not told again', async () => {
  const asked = new Set<string>();
  const it = scene(6, (subject, seq) => {
    asked.add(subject);
    return seq >= 2;
  });
  await tellStalled(it.from, beginWalk(0, 0), it.ways(false));
  assert.deepEqual(it.told, [0, 1]);
  assert.deepEqual([...asked], [`impound.v1.event.target.missing._.default.${ACQ}`]);
});

test('what is new goes before each chain that is told again, and makes the round short', async () => {
  const it = scene(2_000, () => false);
  let walk = await tellStalled(it.from, beginWalk(0, 0), it.ways(true));
  const pairs = Array.from({ length: 50 }, (_, seq) => ['new', seq] as const);
  assert.deepEqual(it.told, pairs.flat());
  it.told.length = 0;
  walk = await tellStalled(it.from, walk, it.ways(false));
  assert.deepEqual([it.told.length, it.told[0], walk.after], [500, 50, 549]);
});

test('rounds follow each other until each chain that was due had its turn once', async () => {
  const it = scene(1_200, () => false);
  let walk = beginWalk(0, 0);
  do walk = await tellStalled(it.from, walk, it.ways(false));
  while (walk.after !== -1);
  assert.deepEqual(
    it.told,
    Array.from({ length: 1_200 }, (_, seq) => seq),
  );
});
