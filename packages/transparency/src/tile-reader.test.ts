// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { leafHash } from './hash.ts';
import { naiveRoot, someLeaves, tilesInMemory } from './testing/naive.ts';
import { rangeRoots, type TileReader } from './tile-reader.ts';
import { EMPTY_TREE, grow, rootOf } from './tree.ts';

const LEAVES = someLeaves(67_000);

function storeOf(size: number): TileReader {
  const { tree, tiles } = grow(EMPTY_TREE, LEAVES.slice(0, size).map(leafHash));
  return tilesInMemory(tiles, tree);
}

test('the root over any range of leaves comes out of tiles as RFC 6962 defines it', async () => {
  const sizes = fc.integer({ min: 1, max: 3_000 });
  const range = fc.tuple(sizes, fc.nat(), fc.nat());
  await fc.assert(
    fc.asyncProperty(range, async ([size, a, b]) => {
      const from = a % size;
      const to = from + 1 + (b % (size - from));
      const root = await rangeRoots(storeOf(size), size)(from, to);
      assert.deepEqual(root, naiveRoot(LEAVES.slice(from, to)));
    }),
    { numRuns: 40 },
  );
});

test('a tree keeps its older roots: what was its root at a smaller size is one of its ranges', async () => {
  const { tree, tiles } = grow(EMPTY_TREE, LEAVES.map(leafHash));
  const root = rangeRoots(tilesInMemory(tiles, tree), LEAVES.length);
  assert.deepEqual(await root(0, LEAVES.length), rootOf(tree));
  for (const size of [1, 255, 256, 257, 65_535, 65_536, 65_537]) {
    assert.deepEqual(await root(0, size), naiveRoot(LEAVES.slice(0, size)));
  }
});

test('the root of a tree is made of one tile a level, each read once', async () => {
  const store = storeOf(67_000);
  const read: string[] = [];
  const counted: TileReader = {
    tile: (tile) => {
      read.push(`${tile.level}/${tile.n}.${tile.width}`);
      return store.tile(tile);
    },
  };
  await rangeRoots(counted, 67_000)(0, 67_000);
  assert.deepEqual(read.toSorted(), ['0/261.184', '1/1.5', '2/0.1']);
});

test('a range outside of the tree, and a tile that is too short, are refused', async () => {
  const root = rangeRoots(storeOf(10), 10);
  for (const [from, to] of [
    [0, 11],
    [-1, 2],
    [3, 3],
    [4, 3],
    [0.5, 2],
  ] as const) {
    await assert.rejects(root(from, to), /no range of 10/);
  }
  const short = rangeRoots({ tile: async () => Buffer.alloc(31) }, 10);
  await assert.rejects(short(0, 10), /tile\/0\/000\.p\/10 has 31 bytes, 256 are needed/);
});
