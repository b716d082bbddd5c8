// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';

/** Length of every hash of the tree: SHA-256. */
export const HASH_BYTES = 32;

/** SHA-256 of bytes. By way of a string, for a buffer of its own costs more than hashing a node. */
export function sha256(bytes: Uint8Array): Buffer {
  return Buffer.from(hash('sha256', bytes, 'binary'), 'latin1');
}

/** The root of a tree without leaves (RFC 6962 section 2.1): SHA-256 of nothing. */
export const EMPTY_ROOT: Buffer = sha256(Buffer.alloc(0));

const LEAF_PREFIX = 0;
const NODE_PREFIX = 1;

// What is hashed is put together in the same place each time: hashing is faster than allocating.
const LEAF_BYTES_MAX = 65_535;
const leafPreimage = Buffer.alloc(1 + LEAF_BYTES_MAX, LEAF_PREFIX);
const nodePreimage = Buffer.alloc(1 + 2 * HASH_BYTES, NODE_PREFIX);

/** The hash of a leaf: `SHA-256(0x00 || bytes)`. */
export function leafHash(bytes: Uint8Array): Buffer {
  if (bytes.length > LEAF_BYTES_MAX) return sha256(Buffer.concat([Buffer.of(LEAF_PREFIX), bytes]));
  leafPreimage.set(bytes, 1);
  return sha256(leafPreimage.subarray(0, 1 + bytes.length));
}

/** The hash of an inner node: `SHA-256(0x01 || left || right)`. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  nodePreimage.set(left, 1);
  nodePreimage.set(right, 1 + HASH_BYTES);
  return sha256(nodePreimage);
}

/** The root over hashes that stand side by side (RFC 6962 section 2.1), leaves or inner nodes. */
export function rootOfHashes(hashes: readonly Uint8Array[]): Buffer {
  const [first] = hashes;
  if (first === undefined) return EMPTY_ROOT;
  if (hashes.length === 1) return Buffer.from(first);
  const split = largestPowerBelow(hashes.length);
  return nodeHash(rootOfHashes(hashes.slice(0, split)), rootOfHashes(hashes.slice(split)));
}

/** The largest power of two that is smaller than a count of at least two: where a tree parts. */
export function largestPowerBelow(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}
