// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { pathTable } from './path-table.ts';

const NAMES_MAX = 10_000;

/** The same rules over plain sets. */
function model(): (name: string, kind: 'directory' | 'leaf') => string {
  const told = new Map<string, 'directory' | 'leaf'>();
  const parents = new Set<string>();
  return (name, kind) => {
    if (told.has(name)) return 'duplicate';
    const above = name.split('/').map((_, i, all) => all.slice(0, i).join('/'));
    const beneathLeaf = above.some((parent) => told.get(parent) === 'leaf');
    if (beneathLeaf || (kind === 'leaf' && parents.has(name))) return 'conflict';
    for (const parent of above.slice(1)) parents.add(parent);
    told.set(name, kind);
    return 'new';
  };
}

test('names, parents and links are told apart as plain sets would', () => {
  const name = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 });
  const step = fc.tuple(name, fc.constantFrom('directory' as const, 'leaf' as const));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const table = pathTable(NAMES_MAX);
      const expected = model();
      for (const [parts, kind] of steps) {
        const path = parts.join('/');
        assert.equal(table.add(Buffer.from(path), kind), expected(path, kind), path);
      }
    }),
  );
});

test('a table grows and still knows every name', () => {
  const table = pathTable(NAMES_MAX);
  const names = Array.from({ length: 5_000 }, (_, i) => Buffer.from(`d/${i}`));
  assert.ok(names.every((name) => table.add(name, 'leaf') === 'new'));
  assert.ok(names.every((name) => table.add(name, 'leaf') === 'duplicate'));
});

test('a full table takes no more names', () => {
  const table = pathTable(3);
  assert.equal(table.add(Buffer.from('a/b'), 'leaf'), 'new');
  assert.equal(table.add(Buffer.from('c'), 'leaf'), 'new');
  assert.equal(table.add(Buffer.from('d'), 'leaf'), 'full');
});
