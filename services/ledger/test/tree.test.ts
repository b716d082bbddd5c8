// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { newId } from '@impound/runtime/ids.ts';
import { leafHash } from '@impound/transparency/hash.ts';
import { EMPTY_TREE, edgeBytes, grow, rootOf } from '@impound/transparency/tree.ts';
import { TRIGGERS } from '../src/domain/guards.ts';
import { requested, type World, world } from './world.ts';

/** Begins so many chains, as fast as they are taken. */
async function begin(it: World, count: number): Promise<void> {
  const say = () => it.say(AcquisitionRequestedV1, newId(), requested);
  for (let left = count; left > 0; left -= 200) {
    const replies = await Promise.all(Array.from({ length: Math.min(200, left) }, say));
    assert.ok(replies.every(({ ok }) => ok));
  }
}

test('every batch has the root and the edge of all entries so far, and full tiles are stored once', async (t) => {
  const it = await world(t);
  await it.start();
  await begin(it, 600);
  const entries = await it.sql()`select entry from ledger_entry order by idx`;
  const leaves = entries.map((row) => leafHash(row['entry'] as Buffer));
  const batches = await it.sql()`
    select size_after, root, edge, writer_epoch from ledger_batch order by size_after`;
  assert.ok(batches.length > 2);
  for (const row of batches) {
    const { tree } = grow(EMPTY_TREE, leaves.slice(0, Number(row['size_after'])));
    assert.deepEqual([row['root'], row['edge']], [rootOf(tree), edgeBytes(tree)]);
  }
  assert.deepEqual(new Set(batches.slice(1).map((row) => row['writer_epoch'])), new Set(['1']));
  const tiles = await it.sql()`select level, n, hashes, root from ledger_tile order by level, n`;
  assert.deepEqual(
    tiles.map((row) => ({ ...row, n: Number(row['n']) })),
    grow(EMPTY_TREE, leaves).tiles,
  );
});

test('a ledger that starts again goes on with the tree where it was', async (t) => {
  const it = await world(t);
  for (const writer of [1, 2, 3]) {
    const running = await it.start();
    await begin(it, 130);
    await running[Symbol.asyncDispose]();
    const [last] = await it.sql()`
      select size_after, root, writer_epoch from ledger_batch order by size_after desc limit 1`;
    const rows = await it.sql()`select leaf from ledger_entry order by idx`;
    const { tree } = grow(
      EMPTY_TREE,
      rows.map((row) => row['leaf'] as Buffer),
    );
    assert.deepEqual([last?.['root'], last?.['writer_epoch']], [rootOf(tree), String(writer)]);
  }
});

const DAMAGES: readonly (readonly [string, string, RegExp])[] = [
  [
    'an entry was rewritten together with its leaf',
    `update ledger_entry set entry = entry || ' ', leaf = sha256('\\x00'::bytea || entry || ' ')
      where idx = 299`,
    /the edge of batch 300 is another/,
  ],
  ['the last entry is gone', 'delete from ledger_entry where idx = 299', /entries at 299/],
  [
    'an entry before the last is gone',
    'delete from ledger_entry where idx = 270',
    /level 0 has 43 hashes beside tiles, not 44/,
  ],
  ['a tile is gone', 'delete from ledger_tile', /level 1 has 0 hashes beside tiles, not 1/],
  [
    'the root of the last batch is another',
    `update ledger_batch set root = sha256('other') where size_after = 300`,
    /the root of batch 300 is another/,
  ],
];

test('a log that does not fit its own tree is not written to', async (t) => {
  const it = await world(t);
  const running = await it.start();
  await begin(it, 299);
  await running[Symbol.asyncDispose]();
  for (const [n, [what, change, because]] of DAMAGES.entries()) {
    await t.test(what, async () => {
      const at = (name: string) => ({ ...it.database, name, url: it.database.server.url(name) });
      const other = { bus: it.bus, migrated: false };
      const copy = `copy_${n}_${it.database.name}`;
      const server = await world(t, { ...other, database: at('postgres') });
      await server.sql().unsafe(`create database ${copy} template ${it.database.name}`);
      const damaged = await world(t, { ...other, database: at(copy) });
      const triggers = (how: string) =>
        TRIGGERS.map((name) => {
          const table = name.replace(/_no_(change|truncate)$/, '');
          return `alter table ${table} ${how} trigger ${name};`;
        }).join('');
      await damaged.sql().unsafe(`${triggers('disable')} ${change}; ${triggers('enable always')}`);
      await assert.rejects(damaged.start(), because);
    });
  }
});
