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
  const set = (acq: string, head: ChainHead) => {
    heads.delete(acq);
    heads.set(acq, head);
    if (heads.size <= chainsMax) return;
    for (const oldest of heads.keys()) return void heads.delete(oldest);
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
