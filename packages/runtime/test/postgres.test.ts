// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startPostgres } from '../src/embedded/postgres.ts';
import { openDatabase } from '../src/postgres.ts';
import { Secret } from '../src/secret.ts';
import { testDatabase } from '../src/testing/database.ts';
import { openWay } from './way.ts';

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

const ROUNDS = 36;

for (const how of ['resets', 'ends'] as const) {
  test(`a network that ${how} connections at any moment leaves no question without an answer`, async (t) => {
    const { server } = await testDatabase(t);
    const way = await openWay(t, server.port);
    const url = new URL(server.url('postgres'));
    url.port = String(way.port);
    await using scope = new AsyncDisposableStack();
    const options = { connectionsMax: 2, name: 'test' };
    const sql = openDatabase(new Secret(url.href), options, scope);
    const transaction = () =>
      sql.begin(async (asking) => {
        await asking`select 1`;
        return await asking`select 2`;
      });
    let answered = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const asked = [sql`select 1`, transaction(), sql`select ${round}::int`, transaction()];
      const settled = Promise.allSettled(asked);
      for (let turn = round % 12; turn > 0; turn--) await new Promise(setImmediate);
      way[how]();
      answered += (await settled).filter(({ status }) => status === 'fulfilled').length;
      // Every third time nothing is broken: then everything is answered.
      if (round % 3 === 0) assert.equal((await sql`select 3 as three`)[0]?.['three'], 3);
    }
    t.diagnostic(`${answered} of ${ROUNDS * 4} were answered`);
  });
}
