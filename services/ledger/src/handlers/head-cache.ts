// SPDX-License-Identifier: Apache-2.0
import type { ChainHead } from '../domain/head.ts';

/** The chains that moved last, in memory; only the holder of the pen may trust it. */
export interface HeadCache {
  get(acq: string): ChainHead | undefined;
  set(acq: string, head: ChainHead): void;
}

/** Forgets the chain that was not used for longest where more than `chainsMax` are kept. */
export function headCache(chainsMax: number): HeadCache {
  const heads = new Map<string, ChainHead>();
  // One walk for ever: what is used moves to the end, so it never passes what is still kept. A new
  // one would first pass all places of the forgotten, thousands, before the oldest that is kept.
  const oldestFirst = heads.keys();
  const set = (acq: string, head: ChainHead) => {
    heads.delete(acq);
    heads.set(acq, head);
    const oldest = heads.size > chainsMax ? oldestFirst.next() : undefined;
    if (oldest?.done === false) heads.delete(oldest.value);
  };
  return {
    set,
    get: (acq) => {
      const head = heads.get(acq);
      if (head !== undefined) set(acq, head);
      return head;
    },
  };
}
