// SPDX-License-Identifier: Apache-2.0
import { HASH_BYTES, largestPowerBelow, nodeHash, rootOfHashes } from './hash.ts';
import { TILE_HEIGHT, type Tile, tilePath, tileWith } from './tile.ts';
import { hashesIn } from './tree.ts';

/** Where tiles are kept: a database, a mirror, a directory, another machine. */
export interface TileReader {
  /** The hashes of a tile, one after the other: `width` of them, or as many more as there are. */
  tile(tile: Tile): Promise<Uint8Array>;
}

/** The root over the leaves `from` up to, without, `to`. */
export type RangeRoot = (from: number, to: number) => Promise<Buffer>;

type PerfectRoot = (from: number, count: number) => Promise<Buffer>;

/**
 * Roots over ranges of leaves of one tree (MTH(D[from:to]) of RFC 6962), which is all that a proof
 * is made of: of an inclusion, a consistency, or of the whole. Each tile is read once. Throws
 * RangeError where a range is not in the tree or the store has less of a tile than the tree needs.
 */
export function rangeRoots(reader: TileReader, size: number): RangeRoot {
  const tiles = new Map<string, Promise<Uint8Array>>();
  const read = (tile: Tile) => {
    const path = tilePath(tile);
    const found = tiles.get(path) ?? reader.tile(tile);
    tiles.set(path, found);
    return found;
  };
  const perfect = async (from: number, count: number) => {
    const height = Math.log2(count);
    const level = Math.floor(height / TILE_HEIGHT);
    const width = 2 ** (height % TILE_HEIGHT);
    const at = (from / count) * width;
    const tile = tileWith(size, level, at);
    const bytes = await read(tile);
    const begin = (at % 256) * HASH_BYTES;
    const end = begin + width * HASH_BYTES;
    if (bytes.length < end) {
      throw new RangeError(`${tilePath(tile)} has ${bytes.length} bytes, ${end} are needed`);
    }
    return rootOfHashes(hashesIn(bytes.subarray(begin, end)));
  };
  return rangesOf(perfect, size);
}

/**
 * The same of any tree of this size: `perfect` gives the root over a power of two of leaves that
 * begins at a multiple of it. Throws RangeError where a range is not in the tree.
 */
export function rangesOf(perfect: PerfectRoot, size: number): RangeRoot {
  const range: RangeRoot = async (from, to) => {
    const count = to - from;
    const power = largestPowerBelow(count);
    const whole = count === 1 ? 1 : power * 2;
    if (whole === count && from % count === 0) return await perfect(from, count);
    return nodeHash(await range(from, from + power), await range(from + power, to));
  };
  return async (from, to) => {
    const isWithin = Number.isSafeInteger(from) && 0 <= from && from < to && to <= size;
    if (!isWithin) throw new RangeError(`leaves ${from} to ${to} are no range of ${size}`);
    return await range(from, to);
  };
}
