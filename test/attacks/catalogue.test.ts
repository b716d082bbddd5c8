// SPDX-License-Identifier: Apache-2.0
// The guards of the database are taken away, its files are edited. Who finds it: the start of the
// ledger, whoever reads the log, and fsck.

import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { startPostgres } from '@impound/runtime/embedded/postgres.ts';
import { newId } from '@impound/runtime/ids.ts';
import { testDatabase } from '@impound/runtime/testing/database.ts';
import { until } from '@impound/runtime/testing/until.ts';
import { headSigners, newLogKeys, readLogKeys } from '@impound/transparency/log-keys.ts';
import { entriesIn, entriesPath } from '@impound/transparency/tile.ts';
import { formatVkey } from '@impound/transparency/vkey.ts';
import { EXIT } from '../../cli/src/exit-code.ts';
import { requested, world } from '../../services/ledger/test/world.ts';
import { fsck, impound } from './detectors.ts';
import { begin, connect, copied, ORIGIN, scopeOf, stageFolder, startLedger } from './stage.ts';

const BREAKS: readonly (readonly [change: string, words: RegExp])[] = [
  [
    'alter table ledger_entry disable trigger ledger_entry_no_change',
    /trigger ledger_entry_no_change is not ENABLE ALWAYS: find out who changed it/,
  ],
  ['grant update on ledger_batch to ledger_writer', /role ledger_writer holds ledger_batch UPDATE/],
  [
    'alter table ledger_batch drop constraint ledger_batch_size_before_key',
    /constraint ledger_batch_size_before_key is missing/,
  ],
];

test('27: a trigger is disabled, a right is granted, a constraint is dropped', async (t) => {
  await using scope = new AsyncDisposableStack();
  const folder = await stageFolder();
  const secret = newLogKeys(ORIGIN);
  const database = await testDatabase(t);
  const it = await world(scopeOf(scope), { database, keys: secret });
  const mirror = join(folder, 'mirror');
  const shown = { MIRROR_URL: pathToFileURL(mirror).href, GUARD_MS: '100' };
  const first = await startLedger(scope, it, shown);
  await begin(it, 3);
  await first[Symbol.asyncDispose]();
  for (const [change, words] of BREAKS) {
    const copy = await copied(scope, database);
    const other = await world(scopeOf(scope), { database: copy, migrated: false, keys: secret });
    await (await startLedger(scope, other))[Symbol.asyncDispose]();
    await connect(scope, copy).unsafe(change);
    await assert.rejects(startLedger(scope, other), words);
  }
  // The same while it writes: whoever reads the mirror sees it, under the signature of the log.
  await startLedger(scope, it, shown);
  await begin(it, 1);
  await connect(scope, database).unsafe(BREAKS[0]?.[0] ?? '');
  const read = (path: string) => readFile(join(mirror, path)).catch(() => undefined);
  const told = async () => {
    const width = Number(String(await read('checkpoint')).split('\n')[1] ?? 0);
    const bundle = await read(entriesPath({ n: 0, width }));
    const entries = bundle === undefined ? [] : entriesIn(bundle).map(String);
    return entries.find((entry) => entry.includes('"type":"guards.broken.v1"'));
  };
  await until(async () => (await told()) !== undefined);
  assert.match((await told()) ?? '', BREAKS[0]?.[1] as RegExp);
  const { own } = headSigners(readLogKeys(secret));
  const by = ['ledger', 'fsck', '--mirror', mirror, '--vkey', formatVkey(own.vkey)];
  const looked = await impound(by);
  assert.deepEqual([looked.code, /1 of them signed by a key/.test(looked.out)], [EXIT.ok, true]);
});

test('34: an entry is edited in the files of a database that is stopped', async (t) => {
  await using scope = new AsyncDisposableStack();
  const dataDir = await stageFolder();
  await using first = await startPostgres({ dataDir }, t.signal);
  const at = (server: typeof first, name = 'custody') => ({ server, name, url: server.url(name) });
  await connect(scope, at(first, 'postgres')).unsafe('create database custody');
  const it = await world(scopeOf(scope), { database: at(first) });
  const running = await startLedger(scope, it);
  const reason = `looked into ${newId()}`;
  for (const one of ['before', reason, 'after']) {
    await it.say(AcquisitionRequestedV1, newId(), { ...requested, reason: one });
  }
  await running[Symbol.asyncDispose]();
  const good = await fsck(at(first));
  assert.equal(good.code, EXIT.ok, good.out);
  const sql = connect(scope, at(first));
  await sql.unsafe('checkpoint');
  const [row] = await sql`select pg_relation_filepath('ledger_entry') as path`;
  const [path = ''] = globSync(`**/${row?.['path']}`, { cwd: dataDir });
  await first.stop();
  const file = join(dataDir, path);
  const bytes = await readFile(file);
  assert.ok(bytes.includes(reason), 'the entry lies in the file as it is');
  bytes.write('left', bytes.indexOf(reason));
  await writeFile(file, bytes);

  await using second = await startPostgres({ dataDir }, t.signal);
  const checked = await fsck(at(second));
  assert.equal(checked.code, EXIT.failed, checked.out);
  assert.match(checked.out, /invalid page in block 0 of relation/);
  const admin = connect(scope, at(second));
  await admin.unsafe('alter role ledger_verifier set ignore_checksum_failure = on');
  const unchecked = await fsck(at(second));
  assert.equal(unchecked.code, EXIT.findings, unchecked.out);
  assert.match(unchecked.out, /entry at 2 \(event .*\): its bytes hash to \w{64}, its row holds/);
});
