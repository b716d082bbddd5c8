// SPDX-License-Identifier: Apache-2.0
import { fromBase64 } from './base64.ts';
import { fromDecimal } from './decimal.ts';
import { HASH_BYTES, leafHash, nodeHash } from './hash.ts';
import { PATH_MAX, verifyInclusion } from './proof-check.ts';
import { ProofFault } from './proof-fault.ts';
import { hashesAt, TILE_HEIGHT, TILE_WIDTH } from './tile.ts';
import { type RangeRoot, rangesOf } from './tile-reader.ts';

/** Where a chain stands: how many entries it has, and the leaf hash of the last. */
export interface Head {
  /** The id of the chain, a UUID. */
  readonly acq: string;
  readonly acqSeq: number | bigint;
  readonly last: Buffer;
}

const ID_BYTES = 16;
const NUMBER_BYTES = 8;

/** What stands in the tree of heads where no chain begins. */
export const NO_HEAD: Buffer = leafHash(Buffer.alloc(0));

/** What stands in it where a chain begins: `SHA-256(0x00 || id || acqSeq || last)`. */
export function headHash({ acq, acqSeq, last }: Head): Buffer {
  const bytes = Buffer.alloc(ID_BYTES + NUMBER_BYTES + HASH_BYTES);
  bytes.write(acq.replaceAll('-', ''), 'hex');
  bytes.writeBigUInt64BE(BigInt(acqSeq), ID_BYTES);
  bytes.set(last, ID_BYTES + NUMBER_BYTES);
  return kept(leafHash(bytes));
}

/** In memory of its own: a small buffer lies in a block of 8 KiB, which it would keep. */
function kept(hash: Buffer): Buffer {
  const own = Buffer.alloc(HASH_BYTES);
  own.set(hash);
  return own;
}

/** Heads by the indexes in the log at which their chains begin. */
export type HeadHashes = ReadonlyMap<number, Buffer>;

/**
 * The tree over the heads of all chains: as many leaves as the log has. It keeps the roots over
 * full tiles and all that stands above them, a quarter of a byte for each leaf, and is told the
 * roots of tiles in which heads have changed.
 */
export interface HeadsTree {
  size(): number;
  /**
   * Becomes the tree of another size. `roots` has (`headsTileRoot`) every full tile of level 0 in
   * which a head has changed, or which was not full before; what is not named stays as it is.
   */
  become(size: number, roots: ReadonlyMap<number, Buffer>): void;
  /** Roots over ranges; `headsIn` gives the heads of a tile of level 0. */
  ranges(headsIn: (n: number) => Promise<HeadHashes>): RangeRoot;
}

/** A tree without leaves. */
export function openHeadsTree(): HeadsTree {
  let size = 0;
  /** Roots over 256 leaves, over 512, and so on: as many as are full. */
  const rows: Buffer[][] = [];
  return {
    size: () => size,
    become: (to, roots) => {
      const tiles = hashesAt(to, 1);
      let row = rows[0] ?? [];
      rows[0] = row;
      let changed = new Set([...roots.keys()].filter((n) => n < tiles));
      for (const n of changed) row[n] = kept(roots.get(n) as Buffer);
      for (let n = hashesAt(size, 1); n < tiles; n++) {
        row[n] ??= emptyRoot(TILE_HEIGHT);
        changed.add(n);
      }
      row.length = tiles;
      for (let height = 1; rows[height] !== undefined || row.length > 1; height++) {
        const above = rows[height] ?? [];
        rows[height] = above;
        changed = grown(row, changed, above);
        row = above;
      }
      size = to;
    },
    ranges: (headsIn) => {
      const tile = memory(headsIn);
      const perfect = async (from: number, count: number) => {
        const height = Math.log2(count) - TILE_HEIGHT;
        if (height >= 0) return rows[height]?.[from / count] as Buffer;
        const heads = await tile(Math.floor(from / TILE_WIDTH));
        return sparseRoot(heads, { from, height: Math.log2(count) });
      };
      return rangesOf(perfect, size);
    },
  };
}

/** Makes those roots of a row anew that stand over changed ones; gives which. */
function grown(row: readonly Buffer[], changed: ReadonlySet<number>, above: Buffer[]): Set<number> {
  above.length = Math.floor(row.length / 2);
  const parents = [...changed].map((n) => Math.floor(n / 2)).filter((n) => n < above.length);
  const moved = new Set(parents);
  for (const n of moved) above[n] = kept(nodeHash(row[2 * n] as Buffer, row[2 * n + 1] as Buffer));
  return moved;
}

/** Asks for each tile once. */
function memory(headsIn: (n: number) => Promise<HeadHashes>): typeof headsIn {
  const known = new Map<number, Promise<HeadHashes>>();
  return (n) => {
    const heads = known.get(n) ?? headsIn(n);
    known.set(n, heads);
    return heads;
  };
}

/** The root over the heads that begin in a full tile of level 0. */
export function headsTileRoot(n: number, heads: HeadHashes): Buffer {
  return sparseRoot(heads, { from: n * TILE_WIDTH, height: TILE_HEIGHT });
}

/** The root over so many halvings of leaves, of which few are heads. */
function sparseRoot(
  heads: HeadHashes,
  of: { readonly from: number; readonly height: number },
): Buffer {
  const root = (from: number, height: number, begun: readonly number[]): Buffer => {
    const [only] = begun;
    if (only === undefined) return emptyRoot(height);
    if (height === 0) return heads.get(only) as Buffer;
    const middle = from + 2 ** (height - 1);
    const left = begun.filter((at) => at < middle);
    const right = begun.filter((at) => at >= middle);
    return nodeHash(root(from, height - 1, left), root(middle, height - 1, right));
  };
  const end = of.from + 2 ** of.height;
  const within = [...heads.keys()].filter((at) => at >= of.from && at < end);
  return root(of.from, of.height, within);
}

const empty: Buffer[] = [NO_HEAD];

/** The root over so many halvings of leaves where no chain begins. */
function emptyRoot(height: number): Buffer {
  for (let at = empty.length; at <= height; at++) {
    const below = empty[at - 1] as Buffer;
    empty.push(nodeHash(below, below));
  }
  return empty[height] as Buffer;
}

/** That a chain that begins at an index had a last entry, for whoever has the root of heads. */
export interface HeadProof {
  readonly index: bigint;
  readonly acqSeq: bigint;
  readonly last: Buffer;
  /** From the sibling of the head up to the root's child. */
  readonly path: readonly Buffer[];
}

const HEADER = 'impound/head-proof@v1';
const PROOF_LINES_MIN = 5;

/** The text of a .head-proof file. */
export function formatHeadProof({ index, acqSeq, last, path }: HeadProof): string {
  const hashes = [last, ...path].map((one) => one.toString('base64'));
  return `${[HEADER, `index ${index}`, `acqSeq ${acqSeq}`, ...hashes].join('\n')}\n`;
}

/** Reads it. Throws ProofFault `proof-malformed`. */
export function parseHeadProof(bytes: Uint8Array): HeadProof {
  const lines = Buffer.from(bytes).toString('latin1').split('\n');
  const [header, first = '', second = '', ...hashes] = lines;
  const index = numberIn(first, 'index ');
  const acqSeq = numberIn(second, 'acqSeq ');
  const isWhole = lines.length >= PROOF_LINES_MIN && hashes.pop() === '';
  if (header !== HEADER || !isWhole || index === undefined || !acqSeq) {
    throw malformed('its lines are not those of a proof of a head');
  }
  if (hashes.length > PATH_MAX + 1) throw malformed(`more than ${PATH_MAX} hashes`);
  const [last, ...path] = hashes.map((line, at) => {
    const hash = fromBase64(line);
    if (hash?.length === HASH_BYTES) return hash;
    throw malformed(`hash ${at} is none`);
  });
  return { index, acqSeq, last: last as Buffer, path };
}

function numberIn(line: string, name: string): bigint | undefined {
  return line.startsWith(name) ? fromDecimal(line.slice(name.length)) : undefined;
}

/** Verifies that a root over heads has this one of a chain. Throws ProofFault `proof-refused`. */
export function verifyHead(
  { index, acqSeq, last, path }: HeadProof,
  of: { readonly acq: string; readonly size: bigint; readonly root: Buffer },
): void {
  const leaf = headHash({ acq: of.acq, acqSeq, last });
  verifyInclusion({ index, path, leaf, size: of.size, root: of.root });
}

function malformed(why: string): ProofFault {
  return new ProofFault('proof-malformed', why);
}
