// SPDX-License-Identifier: Apache-2.0
import { EMPTY_ROOT, HASH_BYTES, nodeHash } from './hash.ts';
import { partialWidth, TILE_HEIGHT, TILE_WIDTH, type Tile } from './tile.ts';

/** What must be known of a tree so that leaves can be added: its right edge. It never changes. */
export interface Tree {
  readonly size: number;
  /** Roots of the full subtrees that the leaves fall into, the largest first. */
  readonly edge: readonly Buffer[];
  /** The hashes of each level's tile that is not full yet. */
  readonly partial: readonly (readonly Buffer[])[];
}

/** A tile that is full: it is stored once and never touched again. */
export interface FullTile extends Omit<Tile, 'width'> {
  /** 256 hashes, one after the other. */
  readonly hashes: Buffer;
  /** The root over them: a hash of the level above. */
  readonly root: Buffer;
}

/** A tree without leaves. */
export const EMPTY_TREE: Tree = { size: 0, edge: [], partial: [] };

/** A tree after leaves were added, and the tiles that became full. One node hash a leaf. */
export function grow(
  tree: Tree,
  leaves: readonly Buffer[],
): { readonly tree: Tree; readonly tiles: readonly FullTile[] } {
  const edge = [...tree.edge];
  const partial = tree.partial.map((hashes) => [...hashes]);
  const tiles: FullTile[] = [];
  let { size } = tree;
  for (const leaf of leaves) {
    add(partial, 0, leaf);
    let root = leaf;
    let height = 0;
    for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) {
      root = nodeHash(edge.pop() as Buffer, root);
      height++;
      if (height % TILE_HEIGHT === 0) tiles.push(fill(partial, { height, size, root }));
    }
    edge.push(root);
    size++;
  }
  return { tree: { size, edge, partial }, tiles };
}

function add(partial: Buffer[][], level: number, hash: Buffer): void {
  const tile = partial[level];
  if (tile === undefined) partial[level] = [hash];
  else tile.push(hash);
}

/** Takes out the tile below a root that was just made, and puts the root into the one above. */
function fill(
  partial: Buffer[][],
  { height, size, root }: { height: number; size: number; root: Buffer },
): FullTile {
  const level = height / TILE_HEIGHT - 1;
  const hashes = Buffer.concat(partial[level] ?? []);
  partial[level] = [];
  add(partial, level + 1, root);
  return { level, n: Math.floor(size / TILE_WIDTH ** (level + 1)), hashes, root };
}

/** The Merkle tree hash of all leaves (RFC 6962 section 2.1). */
export function rootOf({ edge }: Pick<Tree, 'edge'>): Buffer {
  return edge.reduceRight<Buffer | undefined>(foldLeft, undefined) ?? EMPTY_ROOT;
}

function foldLeft(right: Buffer | undefined, left: Buffer): Buffer {
  return right === undefined ? left : nodeHash(left, right);
}

/**
 * A tree from what is stored of it: the hashes of each level's partial tile, read again. Throws
 * RangeError where these are not as many as a tree of this size has.
 */
export function treeFrom(size: number, partial: readonly (readonly Buffer[])[]): Tree {
  const edge: Buffer[] = [];
  for (let level = partial.length - 1; level >= 0; level--) {
    const hashes = partial[level] ?? [];
    const width = partialWidth(size, level);
    if (hashes.length !== width) {
      throw new RangeError(`level ${level} has ${hashes.length} hashes beside tiles, not ${width}`);
    }
    edge.push(...fullSubtrees(hashes));
  }
  if (size >= TILE_WIDTH ** partial.length) {
    throw new RangeError(
      `a tree of ${size} leaves has more than ${partial.length} levels of tiles`,
    );
  }
  return { size, edge, partial };
}

/** Roots of the full subtrees in a row of hashes, the largest first. */
function fullSubtrees(hashes: readonly Buffer[]): readonly Buffer[] {
  let edge: readonly Buffer[] = [];
  for (const [size, hash] of hashes.entries()) {
    const merged = [...edge];
    let root = hash;
    for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) {
      root = nodeHash(merged.pop() as Buffer, root);
    }
    edge = [...merged, root];
  }
  return edge;
}

/** The hashes of an edge, one after the other, as they are stored. */
export function edgeBytes({ edge }: Pick<Tree, 'edge'>): Buffer {
  return Buffer.concat(edge);
}

/** Hashes that stand one after the other in bytes. Throws RangeError where these are cut off. */
export function hashesIn(bytes: Uint8Array): Buffer[] {
  if (bytes.length % HASH_BYTES !== 0) throw new RangeError(`${bytes.length} bytes are no hashes`);
  const count = bytes.length / HASH_BYTES;
  const at = (n: number) => Buffer.from(bytes.subarray(n * HASH_BYTES, (n + 1) * HASH_BYTES));
  return Array.from({ length: count }, (_, n) => at(n));
}
