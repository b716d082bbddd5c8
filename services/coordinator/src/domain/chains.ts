// SPDX-License-Identifier: Apache-2.0
import { type Acquisition, NO_ACQUISITION, next } from '@impound/contracts/chain.ts';
import { NO_PREVIOUS } from '@impound/contracts/entry.ts';
import type { ChainRef, Ledger, Link } from './ledger.ts';

/** A chain as far as it was read. */
export interface Chain {
  readonly state: Acquisition;
  /** Index in the log of its first entry. */
  readonly seq: number;
  /** Leaf hash of its last entry. */
  readonly lastEntry: string;
}

const NO_CHAIN: Chain = { state: NO_ACQUISITION, seq: -1, lastEntry: NO_PREVIOUS };

/** Folded chains that were read lately, so that only what is new is asked for. */
export interface Chains {
  /** The chain as the ledger has it now, or as it was last read where that has this version. */
  read(ref: ChainRef, version: number | undefined, signal: AbortSignal): Promise<Chain>;
  /** Takes one entry that was heard, where it follows what was read. */
  heard(ref: ChainRef, link: Link): void;
  /** As it was last read; undefined: not known any more. */
  known(acquisitionId: string): Chain | undefined;
  forget(acquisitionId: string): void;
}

/** The ledger gave entries that do not follow one another. */
export class BrokenChain extends Error {
  override readonly name = 'BrokenChain';
}

const CHAINS_MAX = 2_000;

/** Keeps the `chainsMax` chains that were read last; the others are read from their beginning. */
export function chainsOf(ledger: Pick<Ledger, 'history'>, chainsMax = CHAINS_MAX): Chains {
  const folded = new Map<string, Chain>();
  const keep = (id: string, chain: Chain) => {
    folded.delete(id);
    folded.set(id, chain);
    const oldest = folded.size > chainsMax ? folded.keys().next().value : undefined;
    if (oldest !== undefined) folded.delete(oldest);
  };
  return {
    known: (id) => folded.get(id),
    forget: (id) => void folded.delete(id),
    heard: (ref, link) => {
      const before = folded.get(ref.acquisitionId) ?? NO_CHAIN;
      if (follows(before, link, ref)) keep(ref.acquisitionId, grown(before, link));
    },
    read: async (ref, version, signal) => {
      const before = folded.get(ref.acquisitionId) ?? NO_CHAIN;
      if (version !== undefined && before.state.version >= version) return before;
      const chain = await extend(before, ref, { ledger, signal });
      if (chain.state.version > 0) keep(ref.acquisitionId, chain);
      return chain;
    },
  };
}

async function extend(
  before: Chain,
  ref: ChainRef,
  by: { readonly ledger: Pick<Ledger, 'history'>; readonly signal: AbortSignal },
): Promise<Chain> {
  let chain = before;
  for (;;) {
    const { version, links } = await by.ledger.history(ref, chain.state.version, by.signal);
    if (version <= chain.state.version) return chain;
    if (links.length === 0) throw new BrokenChain(`no entry after ${chain.state.version} came`);
    for (const link of links) chain = follow(chain, link, ref);
    if (version <= chain.state.version) return chain;
  }
}

/** The chain with one more entry. Throws BrokenChain where it does not follow the last one. */
function follow(chain: Chain, link: Link, ref: ChainRef): Chain {
  if (follows(chain, link, ref)) return grown(chain, link);
  const which = `${ref.tenant}/${ref.acquisitionId}`;
  const version = chain.state.version + 1;
  throw new BrokenChain(`entry ${version} of chain ${which} does not follow the one before it`);
}

function follows({ state, lastEntry }: Chain, { entry }: Link, ref: ChainRef): boolean {
  const mine = entry.acq === ref.acquisitionId && entry.event.tenant === ref.tenant;
  return mine && entry.acqSeq === state.version + 1 && entry.acqPrev === lastEntry;
}

function grown({ state, seq }: Chain, link: Link): Chain {
  const first = state.version === 0;
  const { hash: lastEntry, entry } = link;
  return { state: next(state, entry), seq: first ? link.seq : seq, lastEntry };
}
