// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startPostgres } from '../src/embedded/postgres.ts';
import { openDatabase } from '../src/postgres.ts';
import { Secret } from '../src/secret.ts';

test('a pool refuses while Postgres is away, tells that it was lost, and works again', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'impound-pool-'));
  t.after(() => rm(dataDir, { recursive: true, force: true }));
  const first = await startPostgres({ dataDir }, t.signal);
  await using scope = new AsyncDisposableStack();
  let lost = 0;
  const sql = openDatabase(
    new Secret(first.url('postgres')),
    { connectionsMax: 1, name: 'test', lost: () => void lost++ },
    scope,
  );
  assert.equal((await sql`select 1 as one`)[0]?.['one'], 1);
  await first.kill();
  for (let n = 0; n < 3; n++) await assert.rejects(sql`select 1`.execute());
  assert.ok(lost > 0);
  await using _second = await startPostgres({ dataDir, port: first.port }, t.signal);
  assert.equal((await sql`select 2 as two`)[0]?.['two'], 2);
});
