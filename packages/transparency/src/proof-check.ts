// SPDX-License-Identifier: Apache-2.0
import { EMPTY_ROOT, HASH_BYTES, nodeHash } from './hash.ts';
import { ProofFault } from './proof-fault.ts';

/** No proof for a tree of up to 2^63 leaves is longer; what is longer is not even walked. */
export const PATH_MAX = 64;

/** That a leaf stands at an index of the tree with this size and root. */
export interface Inclusion {
  readonly index: bigint;
  readonly size: bigint;
  readonly root: Uint8Array;
  readonly leaf: Uint8Array;
  /** From the leaf's sibling up to the root's child. */
  readonly path: readonly Uint8Array[];
}

/** Verifies an inclusion proof (RFC 9162 section 2.1.3.2). Throws ProofFault `proof-refused`. */
export function verifyInclusion({ index, size, root, leaf, path }: Inclusion): void {
  if (index < 0n || index >= size) throw refused(`there is no index ${index} in size ${size}`);
  checkHashes([root, leaf, ...path]);
  const sides = sidesOf(index, size - 1n, path.length);
  const join = (found: Uint8Array, one: Uint8Array, at: number) =>
    sides[at] === 'left' ? nodeHash(one, found) : nodeHash(found, one);
  const found = path.reduce(join, leaf);
  if (!same(found, root))
    throw refused(`leaf ${hex(leaf)} leads to root ${hex(found)}, not ${hex(root)}`);
}

/** That the tree of the larger size begins with the tree of the smaller. */
export interface Consistency {
  readonly from: Head;
  readonly to: Head;
  readonly path: readonly Uint8Array[];
}

interface Head {
  readonly size: bigint;
  readonly root: Uint8Array;
}

/**
 * Verifies a consistency proof (RFC 9162 section 2.1.4.2). From size 0, which every tree begins
 * with, and between equal sizes the path is empty. Throws ProofFault `proof-refused`.
 */
export function verifyConsistency({ from, to, path }: Consistency): void {
  if (from.size < 0n || from.size > to.size) {
    throw refused(`size ${from.size} does not come before size ${to.size}`);
  }
  checkHashes([from.root, to.root, ...path]);
  if (from.size === to.size) checkEmpty(path, from.root, to.root);
  else if (from.size === 0n) checkEmpty(path, from.root, EMPTY_ROOT);
  else checkGrowth({ from, to, path });
}

function checkEmpty(path: readonly Uint8Array[], one: Uint8Array, other: Uint8Array): void {
  if (path.length > 0) throw refused('its path is too long');
  if (!same(one, other)) throw refused('one size has two roots');
}

function checkGrowth({ from, to, path }: Consistency): void {
  if (path.length === 0) throw refused('its path is too short');
  const isWhole = (from.size & (from.size - 1n)) === 0n;
  const [first = from.root, ...rest] = isWhole ? [from.root, ...path] : path;
  let node = from.size - 1n;
  let last = to.size - 1n;
  while (isOdd(node)) {
    node >>= 1n;
    last >>= 1n;
  }
  const sides = sidesOf(node, last, rest.length);
  const small = (found: Uint8Array, one: Uint8Array, at: number) =>
    sides[at] === 'left' ? nodeHash(one, found) : found;
  const large = (found: Uint8Array, one: Uint8Array, at: number) =>
    sides[at] === 'left' ? nodeHash(one, found) : nodeHash(found, one);
  if (!same(rest.reduce(small, first), from.root)) {
    throw refused('it leads to another root of the smaller size');
  }
  if (!same(rest.reduce(large, first), to.root)) {
    throw refused('it leads to another root of the larger size');
  }
}

type Side = 'left' | 'right';

/**
 * On which side each hash of a path stands, from a node up to the root of the tree whose last node
 * on the same level is `last`. Throws where the way up has another length than the path.
 */
function sidesOf(node: bigint, last: bigint, count: number): readonly Side[] {
  const sides: Side[] = [];
  let at = { node, last };
  while (at.last !== 0n) {
    if (sides.length === count) throw refused('its path is too short');
    const isLeft = isOdd(at.node) || at.node === at.last;
    sides.push(isLeft ? 'left' : 'right');
    at = isLeft ? raised(at) : up(at);
  }
  if (sides.length < count) throw refused('its path is too long');
  return sides;
}

interface At {
  readonly node: bigint;
  readonly last: bigint;
}

function up({ node, last }: At): At {
  return { node: node >> 1n, last: last >> 1n };
}

/** Past the levels on which a node at the right edge has no sibling. */
function raised(from: At): At {
  let at = from;
  while (!isOdd(at.node) && at.node !== 0n) at = up(at);
  return up(at);
}

function checkHashes(hashes: readonly Uint8Array[]): void {
  if (hashes.length > PATH_MAX + 2) throw refused('its path is too long');
  if (hashes.some(({ length }) => length !== HASH_BYTES)) throw refused('a hash has 32 bytes');
}

function isOdd(value: bigint): boolean {
  return (value & 1n) === 1n;
}

function same(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

function hex(hash: Uint8Array): string {
  return Buffer.from(hash).toString('hex');
}

function refused(why: string): ProofFault {
  return new ProofFault('proof-refused', `the proof does not hold: ${why}`);
}
