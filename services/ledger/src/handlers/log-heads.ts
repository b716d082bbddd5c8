// SPDX-License-Identifier: Apache-2.0
import {
  type Head,
  type HeadHashes,
  headHash,
  headsTileRoot,
  openHeadsTree,
} from '@impound/transparency/heads.ts';
import { TILE_WIDTH } from '@impound/transparency/tile.ts';
import type { RangeRoot } from '@impound/transparency/tile-reader.ts';

/** A chain's head, and where the chain begins in the log. */
export interface BegunHead extends Head {
  readonly index: number;
}

/** The log as heads are read from it. */
export interface HeadsBook {
  /** The newest entry below an index that holds a root over heads. */
  rooted(below: number): Promise<{ readonly index: number; readonly entry: string } | undefined>;
  /** Whether others than the log itself have said something from an index on. */
  hasOthers(from: number): Promise<boolean>;
  /** How many entries below a size say who signs. */
  signers(size: number): Promise<number>;
  /** Tiles of level 0 in which chains begin that have an entry from one index up to another. */
  touched(from: number, to: number): Promise<readonly number[]>;
  /** The heads, below a size, of the chains that begin in these tiles. */
  heads(tiles: readonly number[], size: number): Promise<readonly BegunHead[]>;
  /** Where a chain begins, and how long it is; version 0: there is no such chain. */
  begin(of: {
    readonly tenant: string;
    readonly acquisitionId: string;
  }): Promise<{ readonly index: number; readonly version: number }>;
}

/** The heads of all chains at sizes of the log. */
export interface LogHeads {
  /** Works on the tree over the heads at a size; one after the other. */
  at<T>(size: number, work: (ranges: RangeRoot) => Promise<T>): Promise<T>;
}

/** Entries and tiles that are asked for at once: what is held of them is bounded by these. */
const ENTRIES_AT_ONCE = 65_536;
const TILES_AT_ONCE = 64;

/**
 * Nothing of it is stored: it is made of the log, at first from all of it, then from what has come
 * since, and for an older size from what has come since that.
 */
export function openLogHeads(book: HeadsBook): LogHeads {
  const tree = openHeadsTree();
  const headsIn = async (n: number) => hashesOf(await book.heads([n], tree.size()));
  const move = async (to: number) => {
    if (tree.size() === to) return;
    const changed = await changedTiles(book, tree.size(), to);
    tree.become(to, await rootsOf(book, changed, to));
  };
  let turn: Promise<unknown> = Promise.resolve();
  return {
    at: (size, work) => {
      const done = turn.then(() => move(size)).then(() => work(tree.ranges(headsIn)));
      turn = done.catch(() => undefined);
      return done;
    },
  };
}

async function changedTiles(
  book: HeadsBook,
  now: number,
  to: number,
): Promise<ReadonlySet<number>> {
  const [low, high] = [Math.min(now, to), Math.max(now, to)];
  if (low === 0) return new Set(Array.from({ length: to / TILE_WIDTH }, (_, n) => n));
  // The last tile of the smaller size was not full.
  const changed = new Set([Math.floor(low / TILE_WIDTH)]);
  for (let from = low; from < high; from += ENTRIES_AT_ONCE) {
    for (const n of await book.touched(from, Math.min(high, from + ENTRIES_AT_ONCE))) {
      changed.add(n);
    }
  }
  return changed;
}

async function rootsOf(
  book: HeadsBook,
  changed: ReadonlySet<number>,
  size: number,
): Promise<ReadonlyMap<number, Buffer>> {
  const full = [...changed].filter((n) => (n + 1) * TILE_WIDTH <= size);
  const roots = new Map<number, Buffer>();
  for (let at = 0; at < full.length; at += TILES_AT_ONCE) {
    const some = full.slice(at, at + TILES_AT_ONCE);
    const heads = await book.heads(some, size);
    for (const n of some) {
      const within = heads.filter(({ index }) => Math.floor(index / TILE_WIDTH) === n);
      roots.set(n, headsTileRoot(n, hashesOf(within)));
    }
  }
  return roots;
}

function hashesOf(heads: readonly BegunHead[]): HeadHashes {
  return new Map(heads.map((head) => [head.index, headHash(head)]));
}
