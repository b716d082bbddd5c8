// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  bundleBytes,
  entriesIn,
  entriesPath,
  partialWidth,
  readTilePath,
  tilePath,
  tilesOf,
} from './tile.ts';

test('paths are those of C2SP tlog-tiles', () => {
  assert.equal(tilePath({ level: 0, n: 0, width: 256 }), 'tile/0/000');
  assert.equal(tilePath({ level: 2, n: 1_234_067, width: 256 }), 'tile/2/x001/x234/067');
  assert.equal(tilePath({ level: 0, n: 1_000, width: 7 }), 'tile/0/x001/000.p/7');
  assert.equal(entriesPath({ n: 12, width: 256 }), 'tile/entries/012');
  assert.equal(entriesPath({ n: 0, width: 1 }), 'tile/entries/000.p/1');
});

test('a path that was made is read again as what it was made of', () => {
  const width = fc.integer({ min: 1, max: 256 });
  const n = fc.integer({ min: 0, max: 2 ** 40 });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 63 }), n, width, (level, at, wide) => {
      const tile = { level, n: at, width: wide };
      assert.deepEqual(readTilePath(tilePath(tile)), tile);
      const bundle = { n: at, width: wide };
      assert.deepEqual(readTilePath(entriesPath(bundle)), bundle);
    }),
  );
});

for (const path of [
  'tile/64/000',
  'tile/00/000',
  'tile/0/0',
  'tile/0/1000',
  'tile/0/x000/001',
  'tile/0/x001/001/',
  'tile/0/000.p/256',
  'tile/0/000.p/0',
  'tile/0/000.p/007',
  'tile/0/000.p',
  'tile/-1/000',
  'tile/entries/../0/000',
  '/tile/0/000',
  'tile/0/000\n',
]) {
  test(`${JSON.stringify(path)} is no path of a tile`, () => {
    assert.equal(readTilePath(path), undefined);
  });
}

test('the tiles of a tree are all there are, the last of each level as wide as it is', () => {
  const tiles = [...tilesOf(70_000)];
  assert.equal(tiles.filter(({ level }) => level === 0).length, 274);
  assert.deepEqual(
    tiles.filter(({ width }) => width < 256),
    [
      { level: 0, n: 273, width: 112 },
      { level: 1, n: 1, width: 17 },
      { level: 2, n: 0, width: 1 },
    ],
  );
  assert.deepEqual(
    [0, 1, 2].map((level) => partialWidth(70_000, level)),
    [112, 17, 1],
  );
  assert.deepEqual([...tilesOf(0)], []);
});

test('entries come out of a bundle as they went in, and none out of one that is cut off', () => {
  const entries = fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 20 });
  fc.assert(
    fc.property(entries, (given) => {
      const bytes = bundleBytes(given);
      assert.deepEqual(
        entriesIn(bytes),
        given.map((entry) => Buffer.from(entry)),
      );
      if (bytes.length > 0) assert.throws(() => entriesIn(bytes.subarray(0, -1)), RangeError);
    }),
  );
});
