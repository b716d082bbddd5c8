// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EMPTY_ROOT, leafHash, nodeHash } from './hash.ts';
import { consistencyPath, inclusionPath } from './proof.ts';
import {
  type Consistency,
  type Inclusion,
  verifyConsistency,
  verifyInclusion,
} from './proof-check.ts';
import { ProofFault } from './proof-fault.ts';
import { naiveRoot, someLeaves, tilesInMemory } from './testing/naive.ts';
import { rangeRoots } from './tile-reader.ts';
import { EMPTY_TREE, grow } from './tree.ts';

const SIZE_MAX = 1_300;
// One more, so that the largest tree has another root with it.
const LEAVES = someLeaves(SIZE_MAX + 1);

function rootsAt(size: number) {
  const { tree, tiles } = grow(EMPTY_TREE, LEAVES.slice(0, size).map(leafHash));
  return rangeRoots(tilesInMemory(tiles, tree), size);
}

const root = (size: number) => naiveRoot(LEAVES.slice(0, size));

async function inclusion(index: number, size: number): Promise<Inclusion> {
  const path = await inclusionPath(rootsAt(size), index, size);
  const leaf = leafHash(LEAVES[index] as Buffer);
  return { index: BigInt(index), size: BigInt(size), root: root(size), leaf, path };
}

async function consistency(from: number, to: number): Promise<Consistency> {
  const path = await consistencyPath(rootsAt(to), from, to);
  const head = (size: number) => ({ size: BigInt(size), root: root(size) });
  return { from: head(from), to: head(to), path };
}

function refused(work: () => void): void {
  assert.throws(work, (error) => error instanceof ProofFault && error.code === 'proof-refused');
}

const SIZES = fc.oneof(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: SIZE_MAX }));
const RUNS = { numRuns: 60 };

test('every leaf of every small tree is proven, by no more hashes than the tree has levels', async () => {
  for (let size = 1; size <= 33; size++) {
    for (let index = 0; index < size; index++) {
      const proof = await inclusion(index, size);
      verifyInclusion(proof);
      assert.ok(proof.path.length <= Math.ceil(Math.log2(size)));
    }
  }
});

test('every small tree is proven to begin with every smaller one', async () => {
  for (let to = 1; to <= 33; to++) {
    for (let from = 0; from <= to; from++) verifyConsistency(await consistency(from, to));
  }
});

test('proofs from tiles hold in trees of several levels of tiles', async () => {
  await fc.assert(
    fc.asyncProperty(SIZES, fc.nat(), async (size, seed) => {
      verifyInclusion(await inclusion(seed % size, size));
      verifyConsistency(await consistency(seed % (size + 1), size));
    }),
    RUNS,
  );
});

test('a changed inclusion proof is refused, whatever is changed', async () => {
  await fc.assert(
    fc.asyncProperty(SIZES, fc.nat(), fc.nat(), async (size, seed, other) => {
      const proof = await inclusion(seed % size, size);
      verifyInclusion(proof);
      for (const change of inclusionChanges(proof, other)) {
        refused(() => verifyInclusion({ ...proof, ...change }));
      }
    }),
    RUNS,
  );
});

function inclusionChanges(proof: Inclusion, seed: number): readonly Partial<Inclusion>[] {
  const { index, size, leaf, path } = proof;
  const others = [index + 1n, index - 1n, index ^ 1n, BigInt(seed) % size, size, size + index];
  return [
    ...others.filter((one) => one !== index).map((one) => ({ index: one })),
    { leaf: leafHash(Buffer.from('another')) },
    { leaf: leaf.subarray(1) },
    { root: root(Number(size) + 1) },
    { root: flipped(proof.root, seed) },
    ...pathChanges(path, seed).map((changed) => ({ path: changed })),
  ];
}

test('a changed consistency proof is refused, whatever is changed', async () => {
  await fc.assert(
    fc.asyncProperty(SIZES, fc.nat(), fc.nat(), async (to, seed, other) => {
      const proof = await consistency(seed % (to + 1), to);
      verifyConsistency(proof);
      for (const change of consistencyChanges(proof, other)) {
        refused(() => verifyConsistency({ ...proof, ...change }));
      }
    }),
    RUNS,
  );
});

function consistencyChanges(proof: Consistency, seed: number): readonly Partial<Consistency>[] {
  const { from, to, path } = proof;
  const roots = [
    { from: { ...from, root: flipped(from.root, seed) } },
    { from: { ...from, size: to.size + 1n } },
    { from: { ...from, size: -1n } },
    ...(from.size > 0n && from.size < to.size
      ? [{ to: { ...to, root: flipped(to.root, seed) } }]
      : []),
    ...(from.size < to.size && from.size > 0n ? [{ from: to, to: from }] : []),
  ];
  return [...roots, ...pathChanges(path, seed).map((changed) => ({ path: changed }))];
}

function pathChanges(
  path: readonly Uint8Array[],
  seed: number,
): readonly (readonly Uint8Array[])[] {
  const extra = leafHash(Buffer.from(String(seed)));
  const at = path.length === 0 ? 0 : seed % path.length;
  const some = path[at];
  return [
    [...path, extra],
    [extra, ...path],
    [...path, EMPTY_ROOT],
    Array.from({ length: 500 }, () => extra),
    ...(some === undefined
      ? []
      : [
          path.toSpliced(at, 1),
          path.toSpliced(at, 1, flipped(some, seed)),
          path.toSpliced(at, 1, some.subarray(1)),
          path.toSpliced(at, 0, some),
        ]),
    ...(path.length > 1 ? [path.toReversed()] : []),
  ];
}

function flipped(hash: Uint8Array, seed: number): Buffer {
  const copy = Buffer.from(hash);
  const at = seed % copy.length;
  copy[at] = (copy[at] ?? 0) ^ (1 << (seed % 8));
  return copy;
}

test('an inner node is not taken for a leaf, and a leaf of 64 bytes not for an inner node', async () => {
  const [a, b] = LEAVES.slice(0, 2).map(leafHash) as [Buffer, Buffer];
  const proof = await inclusion(0, 4);
  const upper = { ...proof, size: 2n, path: proof.path.slice(1) };
  verifyInclusion({ ...upper, leaf: nodeHash(a, b) });
  refused(() => verifyInclusion({ ...upper, leaf: leafHash(Buffer.concat([a, b])) }));
  assert.notDeepEqual(leafHash(Buffer.concat([a, b])), nodeHash(a, b));
});

test('there is no proof of a leaf that a tree does not have, nor from a size it never had', async () => {
  for (const index of [-1, 5, 0.5, Number.NaN]) {
    await assert.rejects(inclusionPath(rootsAt(5), index, 5), RangeError);
  }
  for (const size of [-1, 6, 0.5]) {
    await assert.rejects(consistencyPath(rootsAt(5), size, 5), RangeError);
  }
});

test('sizes that no number of this language keeps exactly are walked all the same', () => {
  const size = 2n ** 63n - 1n;
  const path = Array.from({ length: 63 }, (_, at) => leafHash(Buffer.from([at])));
  const leaf = leafHash(Buffer.from('leaf'));
  const top = path.reduce((found, one) => nodeHash(found, one), leaf);
  verifyInclusion({ index: 0n, size, root: top, leaf, path });
  refused(() => verifyInclusion({ index: 1n, size, root: top, leaf, path }));
});
