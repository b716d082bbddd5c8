// SPDX-License-Identifier: Apache-2.0
import type { Waiting } from '@impound/runtime/relay.ts';
import { isDue, withoutEffect } from '../domain/stall.ts';
import { eventIn, type StoredEntry, subjectOf } from '../domain/telling.ts';
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
/** As many where there is something new to tell meanwhile. */
const MESSAGES_BUSY_MAX = 50;
const CHAINS_READ_MAX = 500;
const CHAINS_MAX = 5_000;
const CHAINS_PAGE = 200;
const CHAIN_ENTRIES_MAX = 64;

export function beginWalk(from: number, to: number): Walk {
  return { from, to, after: -1 };
}

/** What a round needs: the log, and how far it was told in any case. */
export interface Stalled {
  readonly log: Pick<Log, 'stalled' | 'chain'>;
  readonly stream: { waiting(): Promise<Waiting> };
  readonly stallMs: number;
  readonly next: number;
}

/** How a round tells. */
export interface Ways {
  /** Tells some of what is new; false where nothing is. */
  tellNew(): Promise<boolean>;
  tellAgain(entries: readonly StoredEntry[]): Promise<void>;
}

/** What a round has done so far. */
interface Done {
  told: number;
  read: number;
  seen: number;
  /** Whether there was something new to tell. */
  busy: boolean;
}

/**
 * One round: tells the entries again from which nothing has come in chains that stand still, and
 * which do not wait in the stream anyway. What is new goes first, before each chain. The more is
 * open, the more rounds a walk takes. Gives where the next round goes on.
 */
export async function tellStalled(from: Stalled, walk: Walk, ways: Ways): Promise<Walk> {
  // What became due while nobody walked is due now.
  const current = walk.after === -1 ? { ...walk, to: Date.now() } : walk;
  let { after } = current;
  let waiting: Waiting | undefined;
  const done: Done = { told: 0, read: 0, seen: 0, busy: false };
  for await (const chain of stalledChains(from, current)) {
    if (await ways.tellNew()) done.busy = true;
    if (isDue(chain.lastAtMs, current, from.stallMs)) {
      waiting ??= await from.stream.waiting();
      done.told += await tellUnheard(from, chain, { waiting, ...ways });
      done.read += 1;
    }
    done.seen += 1;
    after = chain.seq;
    if (isEnough(done)) return { ...current, after };
  }
  return beginWalk(current.to, Date.now());
}

function isEnough({ told, read, seen, busy }: Done): boolean {
  const toldMax = busy ? MESSAGES_BUSY_MAX : MESSAGES_MAX;
  return told >= toldMax || read >= CHAINS_READ_MAX || seen >= CHAINS_MAX;
}

async function* stalledChains({ log, stallMs }: Stalled, walk: Walk): AsyncGenerator<OpenChain> {
  for (let { after } = walk; ; ) {
    const chains = await log.stalled(after, walk.to - stallMs, CHAINS_PAGE);
    yield* chains;
    after = chains.at(-1)?.seq ?? after;
    if (chains.length < CHAINS_PAGE) return;
  }
}

/** Gives how many it told. */
async function tellUnheard(
  { log, next }: Stalled,
  chain: OpenChain,
  { waiting, tellAgain }: { readonly waiting: Waiting } & Pick<Ways, 'tellAgain'>,
): Promise<number> {
  const entries = await log.chain(chain.acq, CHAIN_ENTRIES_MAX);
  const unheard = withoutEffect<ChainEntry>(entries).filter(
    ({ seq, text }) => seq < next && !waiting(subjectOf(eventIn(text)), seq),
  );
  if (unheard.length > 0) await tellAgain(unheard);
  return unheard.length;
}
