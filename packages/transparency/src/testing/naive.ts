// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import type { TileReader } from '../tile-reader.ts';
import type { FullTile, Tree } from '../tree.ts';

/** RFC 6962 section 2.1 word by word, slow and without any code of this package. */
export function naiveRoot(leaves: readonly Uint8Array[]): Buffer {
  if (leaves.length === 0) return sha256();
  if (leaves.length === 1) return sha256(Buffer.of(0), leaves[0] as Uint8Array);
  let k = 1;
  while (k < leaves.length / 2) k *= 2;
  return sha256(Buffer.of(1), naiveRoot(leaves.slice(0, k)), naiveRoot(leaves.slice(k)));
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  return hash('sha256', Buffer.concat(parts), 'buffer');
}

/** Leaves that differ, told from others by a word. */
export function someLeaves(count: number, word = 'leaf'): Buffer[] {
  return Array.from({ length: count }, (_, n) => Buffer.from(`${word} ${n}`));
}

/** A store that holds full tiles and what a tree has beside them, as a database does. */
export function tilesInMemory(tiles: readonly FullTile[], tree: Tree): TileReader {
  const full = new Map(tiles.map((tile) => [`${tile.level}/${tile.n}`, tile.hashes]));
  return {
    tile: async ({ level, n }) =>
      full.get(`${level}/${n}`) ?? Buffer.concat(tree.partial[level] ?? []),
  };
}
