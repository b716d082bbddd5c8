// SPDX-License-Identifier: Apache-2.0
import { endsAcquisition } from '@impound/contracts/chain.ts';
import type { Progress } from '@impound/contracts/progress.ts';
import type { Ask } from '@impound/runtime/ask.ts';
import { Later } from '@impound/runtime/fault.ts';
import { wait } from '@impound/runtime/wait.ts';
import type { Caller } from '../domain/caller.ts';
import { BEAT_MS } from '../domain/limits.ts';
import { acquisitionOf, type ChainOf, chainOf, entriesOf, type Recorded } from './chain-read.ts';

/** Hears, without promise, what happens to one acquisition. */
export interface Watch {
  events(of: ChainOf, seen: () => void, signal: AbortSignal): void;
  progress(of: ChainOf, heard: (progress: Progress) => void, signal: AbortSignal): void;
}

/** One thing to tell a follower. */
export type News =
  | { readonly kind: 'event'; readonly recorded: Recorded }
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'beat' };

/** One message of a stream of events. */
export interface Telling {
  readonly id?: number;
  /** Absent: a sign of life. */
  readonly event?: string;
  readonly data?: string;
}

/** Follows what a path names for a caller; undefined where nothing more will come. */
export function followed(deps: { readonly ask: Ask; readonly watch: Watch }) {
  return async (
    by: { readonly caller: Caller; readonly acquisitionId: string; readonly after: number },
    signal: AbortSignal,
  ): Promise<AsyncIterable<Telling> | undefined> => {
    const of = chainOf(by.caller.tenant, by.acquisitionId);
    const state = await acquisitionOf(of, deps.ask, signal);
    if (state.ended !== undefined && by.after >= state.version) return undefined;
    return (async function* () {
      for await (const news of follow({ ...of, after: by.after }, deps, signal)) yield told(news);
    })();
  };
}

function told(news: News): Telling {
  if (news.kind === 'beat') return {};
  if (news.kind === 'progress') return { event: 'progress', data: JSON.stringify(news.progress) };
  const { entry, text } = news.recorded;
  return { id: entry.acqSeq, event: entry.event.type, data: text };
}

/**
 * The entries of a chain after a version, then what comes, until the acquisition has ended. The bus
 * only wakes: every entry is read from the ledger, so what the bus loses comes with the next beat.
 */
export async function* follow(
  of: ChainOf & { readonly after: number },
  deps: { readonly ask: Ask; readonly watch: Watch; readonly beatMs?: number },
  signal: AbortSignal,
): AsyncGenerator<News> {
  using bell = bellOf(of, deps.watch, signal);
  const reader = readerOf(of, deps.ask);
  while (!signal.aborted) {
    bell.reset();
    for await (const recorded of reader.news(signal)) yield { kind: 'event', recorded };
    if (reader.ended()) return;
    const progress = bell.progress();
    if (progress !== undefined) yield { kind: 'progress', progress };
    const rung = await bell.rung(deps.beatMs ?? BEAT_MS);
    if (!rung) yield { kind: 'beat' };
  }
}

/** Rings where the bus has something about an acquisition, and where the signal aborts. */
function bellOf(of: ChainOf, watch: Watch, signal: AbortSignal) {
  const over = new AbortController();
  const ending = AbortSignal.any([signal, over.signal]);
  let turn = new AbortController();
  let latest: Progress | undefined;
  const ring = () => turn.abort();
  ending.addEventListener('abort', ring, { once: true });
  watch.events(of, ring, ending);
  const heard = (progress: Progress) => {
    latest = progress;
    ring();
  };
  watch.progress(of, heard, ending);
  return {
    reset: () => {
      turn = new AbortController();
    },
    progress: () => {
      const progress = latest;
      latest = undefined;
      return progress;
    },
    rung: async (milliseconds: number) => {
      if (!signal.aborted) await wait(milliseconds, turn.signal);
      return turn.signal.aborted || signal.aborted;
    },
    [Symbol.dispose]: () => over.abort(),
  };
}

/** Reads from the beginning, to know whether the acquisition has ended; gives what is after. */
function readerOf(of: ChainOf & { readonly after: number }, ask: Ask) {
  let read = 0;
  let ended = false;
  async function* news(signal: AbortSignal): AsyncGenerator<Recorded> {
    for await (const recorded of entriesOf(of, { ask, after: read }, signal)) {
      read = recorded.entry.acqSeq;
      ended ||= endsAcquisition(recorded.entry.event.type);
      if (read > of.after) yield recorded;
    }
  }
  return { ended: () => ended, news: (signal: AbortSignal) => patient(news(signal), signal) };
}

/** A ledger that is away is asked again with the next beat. */
async function* patient(
  entries: AsyncGenerator<Recorded>,
  signal: AbortSignal,
): AsyncGenerator<Recorded> {
  try {
    yield* entries;
  } catch (error) {
    if (!(error instanceof Later) && !signal.aborted) throw error;
  }
}
