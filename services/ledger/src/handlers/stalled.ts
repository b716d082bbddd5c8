// SPDX-License-Identifier: Apache-2.0
import { isDue, withoutEffect } from '../domain/stall.ts';
import type { StoredEntry } from '../domain/telling.ts';
import type { ChainEntry, Log, OpenChain } from './ports.ts';

/** One walk over the open chains; it may take several rounds, so that each chain gets its turn. */
export interface Walk {
  /** The chains that became due between these two moments, in milliseconds. */
  readonly from: number;
  readonly to: number;
  /** Index of the first entry of the chain that was looked at last. */
  readonly after: number;
}

const MESSAGES_MAX = 500;
const CHAINS_MAX = 5_000;
const CHAINS_PAGE = 200;
const CHAIN_ENTRIES_MAX = 64;

export function beginWalk(from: number, to: number): Walk {
  return { from, to, after: -1 };
}

/** What a round needs: the log, and how far it was told in any case. */
export interface Stalled {
  readonly log: Pick<Log, 'stalled' | 'chain'>;
  readonly stallMs: number;
  readonly next: number;
}

/**
 * One round: tells the entries again from which nothing has come in chains that stand still, at
 * most MESSAGES_MAX and one chain more. Gives where the next round goes on.
 */
export async function tellStalled(
  from: Stalled,
  walk: Walk,
  tellAgain: (entries: readonly StoredEntry[]) => Promise<void>,
): Promise<Walk> {
  // What became due while nobody walked is due now.
  const current = walk.after === -1 ? { ...walk, to: Date.now() } : walk;
  let { after } = current;
  let told = 0;
  let seen = 0;
  for await (const chain of stalledChains(from, current)) {
    const entries = await dueEntries(from, current, chain);
    if (entries.length > 0) await tellAgain(entries);
    told += entries.length;
    after = chain.seq;
    seen += 1;
    if (told >= MESSAGES_MAX || seen >= CHAINS_MAX) return { ...current, after };
  }
  return beginWalk(current.to, Date.now());
}

async function* stalledChains({ log, stallMs }: Stalled, walk: Walk): AsyncGenerator<OpenChain> {
  for (let { after } = walk; ; ) {
    const chains = await log.stalled(after, walk.to - stallMs, CHAINS_PAGE);
    yield* chains;
    after = chains.at(-1)?.seq ?? after;
    if (chains.length < CHAINS_PAGE) return;
  }
}

async function dueEntries(
  { log, stallMs, next }: Stalled,
  walk: Walk,
  chain: OpenChain,
): Promise<readonly StoredEntry[]> {
  if (!isDue(chain.lastAtMs, walk, stallMs)) return [];
  const entries = await log.chain(chain.acq, CHAIN_ENTRIES_MAX);
  return withoutEffect<ChainEntry>(entries).filter(({ seq }) => seq < next);
}
