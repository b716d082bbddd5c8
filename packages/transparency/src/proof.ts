// SPDX-License-Identifier: Apache-2.0
import { largestPowerBelow } from './hash.ts';
import type { RangeRoot } from './tile-reader.ts';

/**
 * The hashes that lead from a leaf to the root of a tree of this size, its sibling first
 * (RFC 6962 section 2.1.1). Throws RangeError where there is no such leaf.
 */
export async function inclusionPath(
  root: RangeRoot,
  index: number,
  size: number,
): Promise<readonly Buffer[]> {
  if (!(Number.isSafeInteger(index) && 0 <= index && index < size)) {
    throw new RangeError(`there is no leaf ${index} in a tree of ${size}`);
  }
  const path: Promise<Buffer>[] = [];
  let from = 0;
  let to = size;
  while (to - from > 1) {
    const middle = from + largestPowerBelow(to - from);
    if (index < middle) {
      path.unshift(root(middle, to));
      to = middle;
    } else {
      path.unshift(root(from, middle));
      from = middle;
    }
  }
  return await Promise.all(path);
}

/**
 * The hashes that lead from the root of a smaller tree to that of the tree that it became
 * (RFC 6962 section 2.1.2); none from size 0 and between equal sizes.
 */
export async function consistencyPath(
  root: RangeRoot,
  small: number,
  size: number,
): Promise<readonly Buffer[]> {
  if (!(Number.isSafeInteger(small) && 0 <= small && small <= size)) {
    throw new RangeError(`a tree of ${size} leaves was never one of ${small}`);
  }
  if (small === 0) return [];
  const path: Promise<Buffer>[] = [];
  let from = 0;
  let to = size;
  while (small < to) {
    const middle = from + largestPowerBelow(to - from);
    if (small <= middle) {
      path.unshift(root(middle, to));
      to = middle;
    } else {
      path.unshift(root(from, middle));
      from = middle;
    }
  }
  // What is left is whole in both trees; where it is all of the smaller one its root is known.
  if (from > 0) path.unshift(root(from, to));
  return await Promise.all(path);
}
