// SPDX-License-Identifier: Apache-2.0
import type { Acquisition, Recorded } from '@impound/contracts/chain.ts';
import type { Entry } from '@impound/contracts/entry.ts';
import type { Decided } from './decision.ts';

/** Which chain is meant. */
export interface ChainRef {
  readonly tenant: string;
  readonly acquisitionId: string;
}

/** A chain that has not ended, as the ledger lists it: where it began in the log, its length. */
export interface OpenChain extends ChainRef {
  readonly seq: number;
  readonly version: number;
}

/** One entry of a chain: its index in the log, its leaf hash, and what it says. */
export interface Link {
  readonly seq: number;
  readonly hash: string;
  readonly entry: Recorded & Pick<Entry, 'acqPrev'>;
}

/** Where the ledger has put what was said; nothing else of its entry is new to who said it. */
export interface Place extends Pick<Link, 'seq' | 'hash'> {
  readonly id: string;
  readonly recordedAt: string;
}

/** A page of a chain, and the version that the whole chain has. */
export interface History {
  readonly version: number;
  readonly links: readonly Link[];
}

/**
 * What the ledger made of a say. `conflict`: the chain has moved, so decide again. Without a place
 * another one said it before in other words: the chain is to be read.
 */
export type Outcome =
  | { readonly kind: 'recorded'; readonly place?: Place }
  | { readonly kind: 'conflict' }
  | { readonly kind: 'refused'; readonly because: string };

/** What a coordinator needs of the ledger. Every function throws where the ledger is away. */
export interface Ledger {
  /** A page of the entries after this version, oldest first. */
  history(chain: ChainRef, after: number, signal: AbortSignal): Promise<History>;
  /** A page of open chains that began after this index in the log, oldest first. */
  open(
    page: { readonly after: number; readonly limit: number } & Partial<Search>,
    signal: AbortSignal,
  ): Promise<readonly OpenChain[]>;
  /** Says what was decided at this state, which must still be the chain's last. */
  say(state: Acquisition, decided: Decided, signal: AbortSignal): Promise<Outcome>;
}

/** Only the chains of this tenant and of this target, as formatTarget writes it. */
export interface Search {
  readonly tenant: string;
  readonly target: string;
}
