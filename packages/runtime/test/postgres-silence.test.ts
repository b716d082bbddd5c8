// SPDX-License-Identifier: Apache-2.0
// The ways in which the driver by itself would leave a question without any answer.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Database, openDatabase } from '../src/postgres.ts';
import { Secret } from '../src/secret.ts';
import { testDatabase } from '../src/testing/database.ts';
import { openWay, type Way } from './way.ts';

interface Stage {
  readonly sql: Database;
  readonly scope: AsyncDisposableStack;
  readonly way: Way;
  /** How many sessions the server has for it, by a way of its own. */
  sessions(): Promise<number>;
  /** The server, by a way of its own. */
  readonly other: Database;
}

/** A database with a way to it, and one connection for all that is asked. */
async function stage(t: TestContext, more: { readonly statementMsMax?: number } = {}) {
  const { server } = await testDatabase(t);
  const way = await openWay(t, server.port);
  const scope = new AsyncDisposableStack();
  t.after(() => scope.disposeAsync());
  const url = new URL(server.url('postgres'));
  url.port = String(way.port);
  const options = { connectionsMax: 1, name: `silence-${way.port}`, ...more };
  const sql = openDatabase(new Secret(url.href), options, scope);
  const own = new AsyncDisposableStack();
  t.after(() => own.disposeAsync());
  const direct = new Secret(server.url('postgres'));
  const other = openDatabase(direct, { connectionsMax: 1, name: 'other' }, own);
  const sessions = async () => {
    const rows = await other`
      select from pg_stat_activity where application_name = ${options.name}`;
    return rows.length;
  };
  return { sql, scope, way, sessions, other } satisfies Stage;
}

const QUEUED = 5;

function several(sql: Database) {
  return Promise.allSettled(Array.from({ length: QUEUED }, (_, n) => sql`select ${n}::int as n`));
}

/** A transaction that is open, and stays so until it is let go. */
async function heldOpen(sql: Database) {
  const began = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const ended = sql.begin(async (asking) => {
    await asking`select 1`;
    began.resolve();
    await held.promise;
    return await asking`select 2 as two`;
  });
  ended.catch(() => undefined);
  await began.promise;
  return { ended, letGo: held.resolve };
}

function outcomes(settled: readonly PromiseSettledResult<unknown>[]): string[] {
  return settled.map(({ status }) => status);
}

test('what waits for a connection when a pool is closed is answered first', async (t) => {
  const { sql, scope } = await stage(t);
  const transaction = await heldOpen(sql);
  const queued = several(sql);
  await new Promise(setImmediate);
  const closed = scope.disposeAsync();
  await assert.rejects(sql`select 'too late'`.execute(), { code: 'CONNECTION_ENDED' });
  transaction.letGo();
  assert.equal((await transaction.ended)[0]?.['two'], 2);
  assert.deepEqual(outcomes(await queued), Array(QUEUED).fill('fulfilled'));
  await closed;
});

test('what waits for a connection is refused where its pool cannot wait for it', async (t) => {
  const { sql, scope } = await stage(t);
  const transaction = await heldOpen(sql);
  const queued = several(sql);
  await scope.disposeAsync();
  assert.deepEqual(outcomes(await queued), Array(QUEUED).fill('rejected'));
  await assert.rejects(transaction.ended);
  transaction.letGo();
});

test('what waits behind a transaction whose connection is lost is refused', async (t) => {
  const { sql, way } = await stage(t);
  const transaction = await heldOpen(sql);
  const queued = several(sql);
  await new Promise(setImmediate);
  way.resets();
  assert.deepEqual(outcomes(await queued), Array(QUEUED).fill('rejected'));
  await assert.rejects(transaction.ended);
  transaction.letGo();
  assert.equal((await sql`select 3 as three`)[0]?.['three'], 3);
});

test('what a body writes after its connection was lost is written nowhere', async (t) => {
  const { sql, way, other } = await stage(t);
  const table = `outside_${way.port}`;
  await other.unsafe(`create table ${table} (n int)`);
  const began = Promise.withResolvers<void>();
  const lost = Promise.withResolvers<void>();
  const written: Promise<unknown>[] = [];
  const ended = sql.begin(async (asking) => {
    await asking`select 1`;
    began.resolve();
    await lost.promise;
    const late = asking.unsafe(`insert into ${table} values (1)`).execute();
    written.push(late);
    late.catch(() => undefined);
    await late;
  });
  ended.catch(() => undefined);
  await began.promise;
  const queued = several(sql);
  await new Promise(setImmediate);
  way.ends();
  await assert.rejects(ended);
  await queued;
  lost.resolve();
  assert.equal((await sql`select 1 as one`)[0]?.['one'], 1);
  assert.deepEqual(outcomes(await Promise.allSettled(written)), ['rejected']);
  assert.equal((await other.unsafe(`select from ${table}`)).length, 0);
  await other.unsafe(`drop table ${table}`);
});

const STATEMENT_MS_MAX = 500;

test('a server that falls silent is given up, and asked anew over other connections', async (t) => {
  const { sql, way } = await stage(t, { statementMsMax: STATEMENT_MS_MAX });
  await sql`select 1`;
  way.silences();
  const asked = [sql`select 1`.execute(), sql.begin(async (asking) => await asking`select 2`)];
  for (const { status, ...rest } of await Promise.allSettled(asked)) {
    assert.equal(status, 'rejected');
    assert.match(String((rest as PromiseRejectedResult).reason), /no answer within/);
  }
  way.speaks();
  assert.equal((await sql`select 3 as three`)[0]?.['three'], 3);
});

test('a transaction that falls silent between its statements is refused as a whole', async (t) => {
  const { sql, way } = await stage(t, { statementMsMax: STATEMENT_MS_MAX });
  const transaction = await heldOpen(sql);
  way.silences();
  transaction.letGo();
  await assert.rejects(transaction.ended, /no answer within/);
  way.speaks();
  assert.equal((await sql`select 3 as three`)[0]?.['three'], 3);
});

test('a statement that takes too long is ended by the server, and the session lasts', async (t) => {
  const { sql } = await stage(t, { statementMsMax: STATEMENT_MS_MAX });
  const pid = async () => (await sql`select pg_backend_pid() as pid`)[0]?.['pid'];
  const before = await pid();
  await assert.rejects(sql`select pg_sleep(60)`.execute(), { code: '57014' });
  assert.equal(await pid(), before);
});

test('a connection that begins when its pool is closed does not stay', async (t) => {
  const { sql, scope, way, sessions } = await stage(t);
  way.silences();
  const asked = Promise.allSettled([sql`select 1`]);
  await way.came();
  await scope.disposeAsync();
  assert.deepEqual(outcomes(await asked), ['rejected']);
  way.speaks();
  while ((await sessions()) > 0) await new Promise(setImmediate);
  assert.deepEqual(way.open(), 0);
});

test('a connection asks nothing of its own, whose refusal would end the process', async (t) => {
  const { sql, way } = await stage(t);
  way.cuts('pg_catalog.pg_type');
  assert.equal((await sql`select 3 as three`)[0]?.['three'], 3);
});
