// SPDX-License-Identifier: Apache-2.0
import { fromBase64 } from './base64.ts';
import { fromDecimal } from './decimal.ts';
import { HASH_BYTES, leafHash, nodeHash } from './hash.ts';
import { PATH_MAX, verifyInclusion } from './proof-check.ts';
import { ProofFault } from './proof-fault.ts';
import { hashesAt, TILE_HEIGHT, TILE_WIDTH, type Tile } from './tile.ts';
import { type RangeRoot, rangeRoots } from './tile-reader.ts';

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
  return leafHash(bytes);
}

/** Heads by the indexes in the log at which their chains begin. */
export type HeadHashes = ReadonlyMap<number, Buffer>;

/**
 * The tree over the heads of all chains: as many leaves as the log has. It keeps the roots of full
 * tiles, an eighth of a byte for each leaf, and is told the heads of those that have changed.
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
  /** By level, from 1 on: the roots of full tiles of the level below. */
  const levels: Buffer[][] = [];
  const at = (level: number) => (levels[level - 1] ??= []);
  return {
    size: () => size,
    become: (to, roots) => {
      let changed = new Set(roots.keys());
      const full = [...roots].filter(([n]) => n < hashesAt(to, 1));
      for (const [n, root] of full) at(1)[n] = root;
      for (let level = 1; hashesAt(Math.max(size, to), level) > 0; level++) {
        fit(at(level), { from: hashesAt(size, level), to: hashesAt(to, level), level });
        changed = above(changed, { from: hashesAt(size, level + 1), to: hashesAt(to, level + 1) });
        for (const n of changed) at(level + 1)[n] = rootsRoot(at(level), n);
      }
      size = to;
    },
    ranges: (headsIn) => {
      const tile = async ({ level, n, width }: Tile) => {
        const [first, end] = [n * TILE_WIDTH, n * TILE_WIDTH + width];
        if (level > 0) return Buffer.concat(at(level).slice(first, end));
        const heads = await headsIn(n);
        const hashes = Array.from({ length: width }, (_, on) => heads.get(first + on) ?? NO_HEAD);
        return Buffer.concat(hashes);
      };
      return rangeRoots({ tile }, size);
    },
  };
}

/** As many roots of a level as there are now: those that nobody named are over no heads. */
function fit(
  roots: Buffer[],
  { from, to, level }: { readonly from: number; readonly to: number; readonly level: number },
): void {
  for (let n = from; n < to; n++) roots[n] ??= emptyRoot(level * TILE_HEIGHT);
  roots.length = to;
}

/** Which roots of the next level change: of those that changed, and those that come to be. */
function above(
  changed: ReadonlySet<number>,
  { from, to }: { readonly from: number; readonly to: number },
): Set<number> {
  const next = new Set([...changed].map((n) => Math.floor(n / TILE_WIDTH)).filter((n) => n < to));
  for (let n = from; n < to; n++) next.add(n);
  return next;
}

function rootsRoot(roots: readonly Buffer[], n: number): Buffer {
  let row = roots.slice(n * TILE_WIDTH, (n + 1) * TILE_WIDTH);
  while (row.length > 1) {
    row = Array.from({ length: row.length / 2 }, (_, at) =>
      nodeHash(row[2 * at] as Buffer, row[2 * at + 1] as Buffer),
    );
  }
  return row[0] as Buffer;
}

/** The root over the heads that begin in a full tile of level 0. */
export function headsTileRoot(n: number, heads: HeadHashes): Buffer {
  const root = (from: number, height: number, begun: readonly number[]): Buffer => {
    const [only] = begun;
    if (only === undefined) return emptyRoot(height);
    if (height === 0) return heads.get(only) as Buffer;
    const middle = from + 2 ** (height - 1);
    const left = begun.filter((at) => at < middle);
    const right = begun.filter((at) => at >= middle);
    return nodeHash(root(from, height - 1, left), root(middle, height - 1, right));
  };
  return root(n * TILE_WIDTH, TILE_HEIGHT, [...heads.keys()]);
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
