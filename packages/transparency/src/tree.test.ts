// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { leafHash } from './hash.ts';
import { naiveRoot, someLeaves } from './testing/naive.ts';
import { partialWidth } from './tile.ts';
import { EMPTY_TREE, edgeBytes, grow, hashesIn, rootOf, type Tree, treeFrom } from './tree.ts';

const grown = (leaves: readonly Buffer[]) => grow(EMPTY_TREE, leaves.map(leafHash));

/** Leaves and roots of the reference implementation of Certificate Transparency. */
const KNOWN = [
  ['', '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'],
  ['00', 'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'],
  ['10', 'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77'],
  ['2021', 'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7'],
  ['3031', '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4'],
  ['40414243', '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef'],
  ['5051525354555657', 'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c'],
  [
    '606162636465666768696a6b6c6d6e6f',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ],
] as const;

test('the roots of the published vectors of Certificate Transparency come out', () => {
  const leaves = KNOWN.map(([leaf]) => Buffer.from(leaf, 'hex'));
  for (const [at, [, root]] of KNOWN.entries()) {
    assert.equal(rootOf(grown(leaves.slice(0, at + 1)).tree).toString('hex'), root);
  }
});

test('a tree without leaves has the hash of nothing as its root', () => {
  assert.deepEqual(rootOf(EMPTY_TREE), naiveRoot([]));
});

test('a tree that grows in any steps has the root that RFC 6962 defines', () => {
  const steps = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 6 });
  fc.assert(
    fc.property(steps, (counts) => {
      let tree: Tree = EMPTY_TREE;
      const leaves: Buffer[] = [];
      for (const count of counts) {
        const added = someLeaves(count, `after ${leaves.length}`);
        leaves.push(...added);
        ({ tree } = grow(tree, added.map(leafHash)));
        assert.deepEqual(rootOf(tree), naiveRoot(leaves));
        assert.equal(tree.size, leaves.length);
      }
    }),
    { numRuns: 40 },
  );
});

test('a tree that has grown leaves the one it came from as it was', () => {
  const before = grown(someLeaves(300)).tree;
  const root = rootOf(before);
  grow(before, someLeaves(300, 'more').map(leafHash));
  assert.deepEqual([before.size, rootOf(before)], [300, root]);
  assert.equal(before.partial[0]?.length, 44);
});

test('a tile is given out once, when it is full, with the root over it', () => {
  const leaves = someLeaves(70_000).map(leafHash);
  const { tree, tiles } = grow(EMPTY_TREE, leaves);
  const level = (n: number) => tiles.filter((tile) => tile.level === n);
  assert.deepEqual([level(0).length, level(1).length, level(2).length], [273, 1, 0]);
  assert.deepEqual(
    level(0).map(({ n }) => n),
    Array.from({ length: 273 }, (_, n) => n),
  );
  assert.deepEqual(level(0)[5]?.hashes, Buffer.concat(leaves.slice(5 * 256, 6 * 256)));
  const roots = level(0).map(({ root }) => root);
  assert.deepEqual(level(1)[0]?.hashes, Buffer.concat(roots.slice(0, 256)));
  assert.deepEqual(tree.partial[1], roots.slice(256));
  assert.deepEqual(tree.partial[2], [level(1)[0]?.root]);
  for (const n of [0, 1, 2, 3]) {
    assert.equal(tree.partial[n]?.length ?? 0, partialWidth(tree.size, n));
  }
});

test('what a tree has beside its full tiles is enough to go on with it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_500 }), (size) => {
      const { tree } = grown(someLeaves(size));
      const again = treeFrom(size, tree.partial);
      assert.deepEqual(again, tree);
      assert.deepEqual(hashesIn(edgeBytes(again)), tree.edge);
    }),
    { numRuns: 60 },
  );
});

test('a tree is not made of what has a hash too many, too few, or a level too few', () => {
  const { tree } = grown(someLeaves(300));
  const [leaves = [], roots = []] = tree.partial;
  assert.throws(() => treeFrom(301, tree.partial), /level 0 has 44 hashes beside tiles, not 45/);
  assert.throws(() => treeFrom(300, [leaves.slice(1), roots]), RangeError);
  assert.throws(() => treeFrom(300, [leaves]), /more than 1 levels/);
  assert.throws(() => hashesIn(Buffer.alloc(33)), RangeError);
});
