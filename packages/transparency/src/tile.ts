// SPDX-License-Identifier: Apache-2.0
/** Hashes in a full tile; a tile spans eight levels of the tree. */
export const TILE_WIDTH = 256;
/** Levels of the tree in one tile. */
export const TILE_HEIGHT = 8;

/**
 * A tile (C2SP tlog-tiles): hashes `n * 256` and following of a level. Level 0 holds leaf hashes,
 * level l the roots of full tiles of level l - 1. `width` is 256, or less for the last of a level.
 */
export interface Tile {
  readonly level: number;
  readonly n: number;
  readonly width: number;
}

/** Up to 256 entries' bytes, the ones whose hashes the tile of level 0 with the same n holds. */
export type EntryBundle = Omit<Tile, 'level'>;

/** How many hashes a level holds in a tree of this size. */
export function hashesAt(size: number, level: number): number {
  return Math.floor(size / TILE_WIDTH ** level);
}

/** How many hashes the partial tile of a level holds; 0: there is none. */
export function partialWidth(size: number, level: number): number {
  return hashesAt(size, level) % TILE_WIDTH;
}

/** The tile of a level that holds its hash number `at`, as wide as a tree of this size makes it. */
export function tileWith(size: number, level: number, at: number): Tile {
  const n = Math.floor(at / TILE_WIDTH);
  return { level, n, width: Math.min(TILE_WIDTH, hashesAt(size, level) - n * TILE_WIDTH) };
}

/** Every tile of a tree of this size, partial ones as well: what a mirror or an audit reads. */
export function* tilesOf(size: number): Generator<Tile> {
  for (let level = 0; hashesAt(size, level) > 0; level++) {
    for (let at = 0; at < hashesAt(size, level); at += TILE_WIDTH) yield tileWith(size, level, at);
  }
}

/** Where a tile is found below a log's address, such as `tile/0/x001/x234/067.p/12`. */
export function tilePath({ level, n, width }: Tile): string {
  return `tile/${level}/${numberPath(n, width)}`;
}

/** Where entries are found below a log's address, such as `tile/entries/000.p/3`. */
export function entriesPath({ n, width }: EntryBundle): string {
  return `tile/entries/${numberPath(n, width)}`;
}

const GROUP = 1_000;

function numberPath(n: number, width: number): string {
  const groups = [String(n % GROUP).padStart(3, '0')];
  for (let rest = Math.floor(n / GROUP); rest > 0; rest = Math.floor(rest / GROUP)) {
    groups.unshift(`x${String(rest % GROUP).padStart(3, '0')}`);
  }
  return groups.join('/') + (width === TILE_WIDTH ? '' : `.p/${width}`);
}

const PATH = /^tile\/(entries|0|[1-9]\d?)\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;
const LEVEL_MAX = 63;

/** The tile or the entries that a path names; undefined: no path that tilePath() would give. */
export function readTilePath(path: string): Tile | EntryBundle | undefined {
  const [, kind, groups = '', partial] = PATH.exec(path) ?? [];
  if (kind === undefined) return undefined;
  const n = Number(groups.replaceAll(/[x/]/g, ''));
  const width = partial === undefined ? TILE_WIDTH : Number(partial);
  const bundle = { n, width };
  if (kind === 'entries') return entriesPath(bundle) === path ? bundle : undefined;
  const tile = { level: Number(kind), ...bundle };
  return tile.level <= LEVEL_MAX && tilePath(tile) === path ? tile : undefined;
}

const LENGTH_BYTES = 2;

/** The bytes of an entry bundle: each entry after its length, two bytes, big endian. */
export function bundleBytes(entries: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    entries.flatMap((entry) => {
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeUInt16BE(entry.length);
      return [length, entry];
    }),
  );
}

/** The entries in a bundle. Throws RangeError where it ends within an entry. */
export function entriesIn(bundle: Buffer): Buffer[] {
  const entries: Buffer[] = [];
  for (let at = 0; at < bundle.length; ) {
    const from = at + LENGTH_BYTES;
    const to = from + bundle.readUInt16BE(at);
    if (to > bundle.length) throw new RangeError(`the bundle ends within entry ${entries.length}`);
    entries.push(bundle.subarray(from, to));
    at = to;
  }
  return entries;
}
