// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChainHead } from '../domain/head.ts';
import { headCache } from './head-cache.ts';

const HEAD = { version: 1 } as ChainHead;
const KEPT = 4;

/** Which of so many chains are known. */
function knownOf(cache: ReturnType<typeof headCache>, names: readonly string[]): string[] {
  return names.filter((name) => cache.get(name) !== undefined);
}

test('of more chains than are kept the one that was not used for longest is forgotten', () => {
  const cache = headCache(KEPT);
  for (const name of ['a', 'b', 'c', 'd']) cache.set(name, HEAD);
  cache.get('a');
  cache.set('b', HEAD);
  cache.set('e', HEAD);
  assert.deepEqual(knownOf(cache, ['a', 'b', 'c', 'd', 'e']), ['a', 'b', 'd', 'e']);
});

test('however many came before, as many are kept as should be, and the newest', () => {
  const cache = headCache(KEPT);
  const names = Array.from({ length: 1_000 }, (_, at) => `chain-${at}`);
  for (const [at, name] of names.entries()) {
    cache.set(name, HEAD);
    // One that is used again and again is never the oldest.
    if (at > 0) cache.get('chain-0');
  }
  assert.deepEqual(knownOf(cache, names), ['chain-0', ...names.slice(1 - KEPT)]);
});

test('chains that were forgotten are kept again when they move', () => {
  const cache = headCache(1);
  for (const name of ['a', 'b', 'a', 'b', 'a']) cache.set(name, HEAD);
  assert.deepEqual(knownOf(cache, ['a', 'b']), ['a']);
});
