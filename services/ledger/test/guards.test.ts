// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { newId } from '@impound/runtime/ids.ts';
import { asked } from '../src/db/guards.ts';
import { migrate } from '../src/db/migrate.ts';
import { ledgerScript } from '../src/db/script.ts';
import { checkSessions } from '../src/db/sessions.ts';
import { requested, type World, world } from './world.ts';

const CHANGES = [
  `update ledger_entry set tenant = 'x'`,
  'delete from ledger_entry',
  'truncate ledger_entry cascade',
  'update ledger_batch set committed_at = now() where size_after = 1',
  'delete from ledger_batch where size_after = 1',
  'truncate ledger_batch cascade',
  'truncate ledger_tile',
  'truncate ledger_checkpoint cascade',
  'truncate ledger_cosignature',
  'truncate ledger_anchor',
  'truncate ledger_key',
];

async function withOneEntry(it: World): Promise<void> {
  await it.start();
  assert.ok((await it.say(AcquisitionRequestedV1, newId(), requested)).ok);
}

test('a pooler that shares sessions, or refuses how connections begin, is told what to do', async (t) => {
  const it = await world(t);
  const one = it.sql('ledger_writer');
  await checkSessions(one, it.sql('ledger_writer'));
  await assert.rejects(checkSessions(one, one), { code: 'database-pooled', message: /pool_mode/ });
  const severity = 'FATAL';
  const words = 'unsupported startup parameter: statement_timeout';
  const refused = Object.assign(new Error(words), { code: '08P01', severity });
  const told = {
    code: 'database-pooled',
    message: /ignore_startup_parameters = statement_timeout/,
  };
  await assert.rejects(
    asked(() => Promise.reject(refused)),
    told,
  );
});

test('the writer can add and read, and nothing else', async (t) => {
  const it = await world(t);
  await withOneEntry(it);
  const writer = it.sql('ledger_writer');
  for (const change of CHANGES) await assert.rejects(writer.unsafe(change), /permission denied/);
  const own = ['alter table ledger_entry disable trigger all', 'drop table ledger_batch'];
  for (const change of own) await assert.rejects(writer.unsafe(change), /must be owner/);
  await assert.rejects(writer.unsafe('create table other (a int)'), /permission denied/);
});

test('not even a superuser who replays as a replica can change what was recorded', async (t) => {
  const it = await world(t);
  await withOneEntry(it);
  const superuser = it.sql();
  await superuser`set session_replication_role = replica`;
  for (const change of CHANGES) await assert.rejects(superuser.unsafe(change), /only grows/);
});

test('the database itself refuses a wrong leaf and a second successor', async (t) => {
  const it = await world(t);
  await withOneEntry(it);
  const writer = it.sql('ledger_writer');
  const forged = writer`
    insert into ledger_entry select 1, gen_random_uuid(), entry || ' ', leaf, acq, 2, tenant,
      case_id, actor, speaker, cause, type, null, ends, event_at, recorded_at from ledger_entry`;
  await assert.rejects(forged, /ledger_entry_leaf_check/);
  const fork = writer`insert into ledger_batch (size_before, size_after, root, edge, writer_epoch)
    select 0, 4, root, root, 1 from ledger_batch where size_after = 1`;
  await assert.rejects(fork, /ledger_batch_size_before_key/);
});

const BREAKS: readonly (readonly [string, string, RegExp])[] = [
  ['a trigger is missing', 'drop trigger ledger_entry_no_change on ledger_entry', /is missing/],
  [
    'a trigger is disabled',
    'alter table ledger_batch disable trigger ledger_batch_no_truncate',
    /ledger_batch_no_truncate is not ENABLE ALWAYS/,
  ],
  [
    'a trigger fires for origins only',
    'alter table ledger_entry enable trigger ledger_entry_no_truncate',
    /ledger_entry_no_truncate is not ENABLE ALWAYS/,
  ],
  [
    'the fork guard is gone',
    'alter table ledger_batch drop constraint ledger_batch_size_before_key',
    /ledger_batch_size_before_key is missing/,
  ],
  [
    'the check of the leaf checks nothing any more',
    `alter table ledger_entry drop constraint ledger_entry_leaf_check;
      alter table ledger_entry add constraint ledger_entry_leaf_check check (leaf is not null)`,
    /ledger_entry_leaf_check says CHECK/,
  ],
  [
    'the triggers call a function that lets pass',
    `create or replace function ledger_refuse_change() returns trigger language plpgsql as
      'begin return coalesce(new, old); end'`,
    /the function ledger_refuse_change is another/,
  ],
  [
    'a trigger of another table is missing',
    'drop trigger ledger_checkpoint_no_truncate on ledger_checkpoint',
    /ledger_checkpoint_no_truncate is missing/,
  ],
  ['the writer may update', 'grant update on ledger_entry to ledger_writer', /holds .* UPDATE/],
  [
    'the writer may update one column',
    'grant update (tenant) on ledger_entry to ledger_writer',
    /holds ledger_entry UPDATE/,
  ],
  ['the writer may delete', 'grant delete on ledger_batch to ledger_writer', /holds .* DELETE/],
  ['the writer may truncate', 'grant truncate on ledger_entry to ledger_writer', /holds .* TRUNC/],
  [
    'the writer may not write',
    'revoke insert on ledger_batch from ledger_writer',
    /lacks .*INSERT/,
  ],
  ['the schema is newer', 'insert into ledger_schema (version) values (99)', /version 99, not 1/],
  ['the schema is not there', 'drop table ledger_schema', /run the migration first/],
  [
    'commits do not wait for the disk',
    'alter role ledger_writer in database DB set synchronous_commit = off',
    /synchronous_commit is off/,
  ],
];

for (const [what, change, because] of BREAKS) {
  test(`the ledger refuses to start when ${what}`, async (t) => {
    const it = await world(t);
    await it.sql().unsafe(change.replace('DB', it.database.name));
    await assert.rejects(it.start(), because);
  });
}

test('the ledger refuses to start as a superuser', async (t) => {
  const it = await world(t);
  await assert.rejects(it.start({ role: 'postgres' }), /is a superuser: connect as ledger_writer/);
});

test('migrating again changes nothing, and two at once do not hinder each other', async (t) => {
  const it = await world(t);
  await withOneEntry(it);
  const passwords = { writerPassword: it.database.server.password('ledger_writer') };
  await Promise.all([migrate(it.database.url, passwords), migrate(it.database.url, passwords)]);
  const [row] = await it.sql()`select count(*)::int as entries from ledger_entry`;
  assert.equal(row?.['entries'], 2);
});

test('the script, which deploy/postgres shows, makes by hand what the migration makes', async (t) => {
  const it = await world(t, { migrated: false });
  for (const _ of ['once', 'again']) await it.sql().unsafe(await ledgerScript());
  const password = it.database.server.password('ledger_writer');
  await it.sql().unsafe(`alter role ledger_writer login password '${password}'`);
  await withOneEntry(it);
});

test('the owner cannot log in, and the reader can only read', async (t) => {
  const it = await world(t);
  await withOneEntry(it);
  await assert.rejects(it.sql('ledger_owner')`select 1`, /password authentication failed/);
  const reader = it.sql('ledger_reader');
  const [row] = await reader`select count(*)::int as entries from ledger_entry`;
  assert.equal(row?.['entries'], 2);
  const insert = 'insert into ledger_batch (size_before, size_after) values (1, 2)';
  for (const change of [...CHANGES, insert]) {
    await assert.rejects(reader.unsafe(change), /permission denied/);
  }
});

test('a database that is behind what others were told is not written to', async (t) => {
  const it = await world(t);
  await withOneEntry(it);
  const emptied = await world(t, { bus: it.bus });
  await assert.rejects(emptied.start(), /stream was told entry 1, the database has 0/);
});
