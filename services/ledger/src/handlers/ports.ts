// SPDX-License-Identifier: Apache-2.0
import type { Draft, Known } from '../domain/batch.ts';
import type { OwnKept } from '../domain/own-chain.ts';
import type { Effect } from '../domain/stall.ts';
import type { StoredEntry } from '../domain/telling.ts';

/** What one commit adds to the log: entries, and leaves between them that are no entries. */
export interface Added {
  readonly drafts: readonly Draft[];
  readonly leaves: readonly { readonly seq: number; readonly bytes: Buffer }[];
  /** True: nobody has looked whether the log holds any of it; the commit does. */
  readonly asNew?: boolean | undefined;
}

/** The log as it is committed: how many leaves it has, and the root over them. */
export interface Standing {
  readonly size: number;
  readonly root: Buffer;
}

/** The right to append: one process has it at a time, as far as the database can tell. */
export interface Pen extends AsyncDisposable {
  /** The log as this holder of the pen has read it and gone on with it. */
  standing(): Standing;
  /** The chain in which the log speaks of itself; empty where the log is. */
  own(): Promise<OwnKept>;
  /** When the last entry was recorded; undefined: there is none. */
  lastAt(): Promise<string | undefined>;
  /** Aborts when the session that held it has ended. */
  readonly lost: AbortSignal;
  /** What the log holds under these ids and of these chains. */
  known(ids: readonly string[], acqs: readonly string[]): Promise<Known>;
  /**
   * Makes all ready that one commit adds to the log: after what is committed, or after what was
   * drawn before and is being committed.
   */
  draw(added: Added, after?: Drawn): Drawn;
}

/** What only has to be committed. */
export interface Drawn {
  /** Leaves in the log with it. */
  readonly size: number;
  /** All or none. Throws Taken where nothing was; rejects otherwise where it cannot be known. */
  commit(): Promise<void>;
}

/** Nothing was committed: the log holds one of these ids, or a chain that was to begin. */
export class Taken extends Error {
  override readonly name = 'Taken';
}

/** Hands the pen to one process at a time. */
export interface PenHolder {
  /**
   * Waits until no other process has the pen. `waiting` is told once where another has it.
   * Rejects with Never where the database is not guarded, with Later where it is away.
   */
  take(waiting: () => void, signal: AbortSignal): Promise<Pen>;
}

/** A chain that has not ended. */
export interface OpenChain {
  readonly acq: string;
  /** Index of its first entry. */
  readonly seq: number;
  readonly lastAtMs: number;
}

/** An entry with what tells whether something came of it. */
export type ChainEntry = StoredEntry & Effect;

/** The log as the relay reads it. */
export interface Log {
  size(): Promise<number>;
  /** Entries from `from` on, below `to`, in their order, at most `limit`. */
  entries(from: number, to: number, limit: number): Promise<readonly StoredEntry[]>;
  /**
   * The same, only of chains that have not ended; of one that has, what is to be told to whoever
   * asked, and of which nothing has come.
   */
  unheard(from: number, to: number, limit: number): Promise<readonly StoredEntry[]>;
  /** Open chains that began after `after` and whose last entry is from before `beforeMs`. */
  stalled(after: number, beforeMs: number, limit: number): Promise<readonly OpenChain[]>;
  /** The newest entries of a chain, oldest first, at most `limit`. */
  chain(acq: string, limit: number): Promise<readonly ChainEntry[]>;
}

/** What is committed and not yet published. */
export interface Lag {
  /** Undefined: the stream could not be looked at yet. */
  readonly untold: number | undefined;
  /** When the oldest of them was committed; undefined: there is none. */
  readonly sinceMs: number | undefined;
}

/** The publishing half of a term. */
export interface Relaying {
  /** Told after each commit. */
  committed(added: Added): void;
  /** How far it is behind; what the log says of it is read. */
  lag(): Promise<Lag>;
  /** Resolves when it has stopped. */
  readonly ended: Promise<void>;
}
