// SPDX-License-Identifier: Apache-2.0
import { HASH_BYTES } from '@impound/transparency/hash.ts';
import { hashesAt, TILE_WIDTH, tilePath } from '@impound/transparency/tile.ts';
import {
  EMPTY_TREE,
  edgeBytes,
  type FullTile,
  grow,
  rootOf,
  type Tree,
} from '@impound/transparency/tree.ts';
import type { Findings } from './fsck-findings.ts';
import type { KeptLog, KeptTile } from './fsck-ports.ts';
import { type Walk, walk } from './pages.ts';

/** The tree, made again from the leaves' bytes, and held against what is kept of it. */
export interface Derived {
  tree(): Tree;
  /** Adds leaves, and compares the tiles that they fill. */
  add(leaves: readonly Buffer[]): Promise<void>;
  /** Compares what is kept beyond the tree that was made. Gives how many tiles it has. */
  end(): Promise<number>;
}

/** Begins a tree over no leaves. */
export function deriving(log: KeptLog, findings: Findings): Derived {
  const levels: Walk<KeptTile>[] = [];
  let tree: Tree = EMPTY_TREE;
  let tiles = 0;
  const levelOf = (level: number) => {
    levels[level] ??= walk(log.tiles(level));
    return levels[level];
  };
  return {
    tree: () => tree,
    add: async (leaves) => {
      const grown = grow(tree, leaves);
      ({ tree } = grown);
      tiles += grown.tiles.length;
      for (const tile of grown.tiles) await compare(tile, levelOf(tile.level), findings);
    },
    end: async () => {
      for (let level = 0; hashesAt(tree.size, level) > 0; level++) {
        const beyond = await levelOf(level).next();
        if (beyond === undefined) continue;
        const path = tilePath({ level, n: beyond.n, width: TILE_WIDTH });
        const what = `${path} is kept, and no tree of ${tree.size} leaves has it`;
        findings.add({ class: 'tree', idx: tree.size, what });
      }
      return tiles;
    },
  };
}

async function compare(tile: FullTile, kept: Walk<KeptTile>, findings: Findings): Promise<void> {
  const span = TILE_WIDTH ** tile.level;
  const first = tile.n * TILE_WIDTH * span;
  const path = tilePath({ ...tile, width: TILE_WIDTH });
  const add = (idx: number, what: string) => findings.add({ class: 'tree', idx, what });
  let found = await kept.next();
  while (found !== undefined && found.n < tile.n) {
    add(first, `tile ${found.n} of level ${tile.level} is kept twice or out of order`);
    kept.take();
    found = await kept.next();
  }
  if (found?.n !== tile.n) return add(first, `${path} is missing`);
  kept.take();
  const at = firstDifference(tile.hashes, found.hashes);
  if (at !== undefined) {
    const of = tile.level === 0 ? `leaf ${first + at}` : `the tile below at ${at}`;
    const hash = tile.hashes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES).toString('hex');
    add(first + at * span, `${path} holds another hash than ${of}, whose bytes give ${hash}`);
  } else if (found.root !== undefined && !found.root.equals(tile.root)) {
    add(first, `${path} is kept with another root than its hashes have`);
  }
}

function firstDifference(one: Buffer, other: Buffer): number | undefined {
  if (one.equals(other)) return undefined;
  for (let at = 0; at < TILE_WIDTH; at++) {
    const [begin, end] = [at * HASH_BYTES, (at + 1) * HASH_BYTES];
    if (!one.subarray(begin, end).equals(other.subarray(begin, end))) return at;
  }
  return TILE_WIDTH - 1;
}

/** What does not fit of a root and an edge that were kept for the tree as it is now. */
export function treeFaults(
  tree: Tree,
  kept: { readonly root: Buffer; readonly edge?: Buffer },
): readonly string[] {
  const root = rootOf(tree);
  const faults = root.equals(kept.root)
    ? []
    : [
        `the root over ${tree.size} leaves is ${root.toString('hex')}, not ${kept.root.toString('hex')}`,
      ];
  if (kept.edge !== undefined && !kept.edge.equals(edgeBytes(tree))) {
    faults.push(`the edge over ${tree.size} leaves is another`);
  }
  return faults;
}
