// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { type PostgresServer, startPostgres } from '@impound/runtime/embedded/postgres.ts';
import { newId } from '@impound/runtime/ids.ts';
import { type Database, openDatabase } from '@impound/runtime/postgres.ts';
import { Secret } from '@impound/runtime/secret.ts';
import { inSnapshot } from '../src/adapters/postgres-fsck.ts';
import { fsck } from '../src/handlers/fsck.ts';
import { requested, world } from './world.ts';

const DATABASE = 'custody';

async function asSuperuser<T>(
  server: PostgresServer,
  name: string,
  work: (sql: Database) => Promise<T>,
): Promise<T> {
  await using scope = new AsyncDisposableStack();
  const options = { connectionsMax: 1, name: 'test' };
  return await work(openDatabase(new Secret(server.url(name)), options, scope));
}

test('an entry that is edited in the files of a stopped database is named', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'impound-disk-'));
  t.after(() => rm(dataDir, { recursive: true, force: true }));
  const first = await startPostgres({ dataDir }, t.signal);
  t.after(() => first.stop());
  await asSuperuser(first, 'postgres', (sql) => sql.unsafe(`create database ${DATABASE}`));
  const database = { name: DATABASE, url: first.url(DATABASE), server: first };
  const it = await world(t, { database });
  const running = await it.start();
  const reason = `looked into ${newId()}`;
  for (const one of ['before', reason, 'after']) {
    await it.say(AcquisitionRequestedV1, newId(), { ...requested, reason: one });
  }
  await running[Symbol.asyncDispose]();
  const relation = await asSuperuser(first, DATABASE, async (sql) => {
    await sql.unsafe('checkpoint');
    const [row] = await sql`select pg_relation_filepath('ledger_entry') as path`;
    return String(row?.['path']);
  });
  const [path = ''] = globSync(`**/${relation}`, { cwd: dataDir }).map((one) => join(dataDir, one));
  await first.stop();

  const bytes = await readFile(path);
  const at = bytes.indexOf(reason);
  assert.ok(at > 0, 'the entry lies in the file as it is');
  bytes.write('left', at);
  await writeFile(path, bytes);

  const second = await startPostgres({ dataDir }, t.signal);
  t.after(() => second.stop());
  const report = await asSuperuser(second, DATABASE, async (sql) => {
    // Where the server keeps checksums of pages it would not even read this one.
    await sql`set ignore_checksum_failure = on`;
    const { signal } = t;
    return inSnapshot(sql, (log) => fsck(log, { keys: [], known: [] }, () => undefined, signal));
  });
  const [found] = report.findings;
  assert.deepEqual([found?.class, found?.idx], ['entry', 2], JSON.stringify(report.findings));
  assert.match(found?.what ?? '', /its bytes hash to [0-9a-f]{64}, its row holds/);
});
