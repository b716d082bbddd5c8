// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonical } from '@impound/contracts/canonical.ts';
import { entryText, NO_PREVIOUS } from '@impound/contracts/entry.ts';
import type { HeadsRootedV1 } from '@impound/contracts/heads/rooted.v1.ts';
import { LOG_TENANT } from '@impound/contracts/log-key.ts';
import { openLog } from '@impound/runtime/log.ts';
import { sha256 } from '@impound/transparency/hash.ts';
import type { HeadsBook } from './log-heads.ts';
import { rooting } from './rooting.ts';
import type { SayOwn } from './say-own.ts';

const ACQ = '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01';
const TIME = '2026-11-23T09:15:00.000000Z';
const ROOT = sha256(Buffer.alloc(1));

function entryOf(data: HeadsRootedV1): string {
  const event = canonical({
    specversion: '1.0',
    id: ACQ,
    source: '/impound/ledger/l-1',
    type: 'heads.rooted.v1',
    subject: ACQ,
    time: TIME,
    datacontenttype: 'application/json',
    tenant: LOG_TENANT,
    data,
  });
  const salt = 'AAAAAAAAAAAAAAAAAAAAAA==';
  const head = { acq: ACQ, acqSeq: 2, acqPrev: NO_PREVIOUS, recordedAt: TIME, salt };
  return entryText(head, event);
}

/** Rounds of a log that grows by so many leaves of others before each. */
async function said(grows: readonly number[]): Promise<HeadsRootedV1[]> {
  const stop = new AbortController();
  const rounds = [...grows];
  const roots: HeadsRootedV1[] = [];
  let size = 1;
  let others = 0;
  const headsBook = {
    rooted: async () => {
      const data = roots.at(-1);
      return data && { index: size - 1, entry: entryOf(data) };
    },
    signers: async () => 0,
    hasOthers: async (from: number) => others > from,
  } as unknown as HeadsBook;
  const on = {
    ...{ headsBook, headsMs: 1, logging: openLog('ledger', 'silent') },
    heads: { at: async () => ROOT as never },
    standing: () => {
      const more = rounds.shift();
      if (more === undefined) stop.abort();
      size += more ?? 0;
      if ((more ?? 0) > 0) others = size;
      return { size };
    },
    sayOwn: (async (_contract, data) => {
      size += 1;
      roots.push({ ...(data as unknown as HeadsRootedV1), root: ROOT.toString('hex') as never });
      return size - 1;
    }) as SayOwn,
  };
  await rooting(on, stop.signal);
  return roots;
}

test('heads are put on record where others have spoken since, and a log that is still stays so', async () => {
  const sizes = (await said([0, 3, 0, 0, 2, 0])).map(({ size }) => size);
  assert.deepEqual(sizes, [4, 7]);
});
