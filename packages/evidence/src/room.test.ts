// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { roomOf } from './room.ts';

const BYTES_MAX = 300_000;

test('a room holds what was put into it, however it had to grow, and again after it was emptied', () => {
  const piece = fc.tuple(
    fc.integer({ min: 0, max: BYTES_MAX / 3 }),
    fc.integer({ min: 0, max: 255 }),
  );
  const pieces = fc
    .array(piece, { maxLength: 3 })
    .map((all) => all.map(([n, of]) => Buffer.alloc(n, of)));
  fc.assert(
    fc.property(pieces, pieces, (first, second) => {
      const room = roomOf(BYTES_MAX);
      for (const bytes of first) room.put(bytes);
      assert.deepEqual(room.filled(), Buffer.concat(first));
      room.empty();
      assert.equal(room.used(), 0);
      for (const bytes of second) room.put(bytes);
      assert.deepEqual(room.filled(), Buffer.concat(second));
    }),
    { numRuns: 50 },
  );
});

test('a room never takes more memory than it was given, and little for little', () => {
  const room = roomOf(BYTES_MAX);
  room.put(Buffer.alloc(1));
  assert.equal(room.filled().buffer.byteLength, 65_536);
  room.put(Buffer.alloc(BYTES_MAX - 1));
  assert.equal(room.filled().buffer.byteLength, BYTES_MAX);
  assert.throws(() => room.put(Buffer.alloc(1)), RangeError);
});
