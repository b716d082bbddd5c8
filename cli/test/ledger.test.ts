// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { migrate } from '@impound/ledger/db/migrate.ts';
import { openDatabase } from '@impound/runtime/postgres.ts';
import { Secret } from '@impound/runtime/secret.ts';
import { testDatabase } from '@impound/runtime/testing/database.ts';
import { paperLog } from '@impound/transparency/testing/paper-log.ts';
import { EXIT } from '../src/exit-code.ts';
import { impound } from './command-line.ts';

async function open(t: TestContext) {
  const { name, url, server } = await testDatabase(t);
  const passwords = ['ledger_writer', 'ledger_verifier'].map((role) => server.password(role));
  const [writerPassword = '', verifierPassword] = passwords;
  await migrate(url, { writerPassword, verifierPassword });
  const scope = new AsyncDisposableStack();
  t.after(() => scope.disposeAsync());
  const folder = await mkdtemp(join(tmpdir(), 'impound-fsck-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const sql = openDatabase(new Secret(url), { connectionsMax: 1, name: 'test' }, scope);
  const file = join(folder, 'url');
  await writeFile(file, server.url(name, 'ledger_verifier'));
  const run = (...args: string[]) =>
    impound(['ledger', 'fsck', ...args], { DATABASE_URL_FILE: file });
  return { sql, folder, run };
}

test('fsck says of a log that it fits, what it was held against, and what is not proven', async (t) => {
  const { run } = await open(t);
  const done = await run();
  assert.equal(done.code, EXIT.ok, done.err);
  assert.match(done.out, /it fits/);
  assert.match(done.out, /not proven here: that nobody rewrote all of it/);
});

test('fsck ends with another code for each class, and names what differs', async (t) => {
  const { sql, folder, run } = await open(t);
  const known = join(folder, 'checkpoint');
  await writeFile(known, await paperLog('log.example.org', [Buffer.from('x')]).note(1));
  const cut = await run('--known', known, '--json');
  assert.equal(cut.code, EXIT.history, cut.out);
  assert.match(cut.out, /others know 1 leaves, and 0 are there: the end was cut off/);
  await sql.unsafe(`alter table ledger_batch disable trigger ledger_batch_no_change;
    update ledger_batch set root = sha256('x')`);
  const damaged = await run();
  assert.equal(damaged.code, EXIT.tree);
  assert.match(damaged.out, /batch at 0: batch 0: the root over 0 leaves is e3b0c442/);
  assert.match(damaged.out, /DOES NOT FIT/);
});

test('fsck without a database, with what is no checkpoint, or with other words, says so', async (t) => {
  const { folder, run } = await open(t);
  const none = await impound(['ledger', 'fsck']);
  assert.match(none.err, /DATABASE_URL is missing/);
  assert.notEqual(none.code, EXIT.ok);
  await writeFile(join(folder, 'text'), 'hello\n');
  assert.equal((await run('--known', join(folder, 'text'))).code, EXIT.usage);
  assert.equal((await run('--known', join(folder, 'nothing'))).code, EXIT.usage);
  assert.equal((await impound(['ledger', 'mend'])).code, EXIT.usage);
});
