// SPDX-License-Identifier: Apache-2.0
// Several logs under one key: a replica that took over, two views for two clients.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createPrivateKey, sign } from 'node:crypto';
import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { type PostgresServer, startPostgres } from '@impound/runtime/embedded/postgres.ts';
import { newId } from '@impound/runtime/ids.ts';
import type { Database } from '@impound/runtime/postgres.ts';
import { until } from '@impound/runtime/testing/until.ts';
import { openCheckpoint } from '@impound/transparency/checkpoint.ts';
import { cosignedMessage, writeCosignature } from '@impound/transparency/cosignature.ts';
import { headSigners, newLogKeys, readLogKeys } from '@impound/transparency/log-keys.ts';
import { parseNote, signatureLine } from '@impound/transparency/note.ts';
import { EXIT } from '../../cli/src/exit-code.ts';
import { world } from '../../services/ledger/test/world.ts';
import { exportBag } from './bag.ts';
import { emptied, fsck, impound } from './detectors.ts';
import {
  begin,
  connect,
  copied,
  cosigned,
  kept,
  ORIGIN,
  policyOf,
  type Recorded,
  recordedLog,
  scopeOf,
  stageFolder,
  startLedger,
  type WitnessHome,
  witnessHome,
} from './stage.ts';
import { tellStory } from './story.ts';
import { LONELY, rewriteWhole } from './tamper.ts';

let on: Recorded;

before(async () => {
  on = await recordedLog();
});

/** A log that goes on from the recorded one, seen by one witness and mirrored. */
async function viewOf(scope: AsyncDisposableStack, witness: WitnessHome) {
  const database = await copied(scope, on.database);
  const it = await world(scopeOf(scope), { database, migrated: false, keys: on.secret });
  const mirror = await emptied(on.folder, `mirror-${database.name}`);
  const url = await witness.serve(scope);
  const POLICY = policyOf([witness], [url]);
  await startLedger(scope, it, { POLICY, MIRROR_URL: pathToFileURL(mirror).href });
  const told = await tellStory(it, newId());
  const sql = it.sql();
  const [row] = await sql`select max(size_after) as size from ledger_batch`;
  const size = BigInt(row?.['size']);
  const note = await noteOver(sql, size);
  await until(async () => {
    const bytes = await readFile(join(mirror, 'checkpoint')).catch(() => undefined);
    return bytes !== undefined && openCheckpoint(bytes, [on.log]).size === size;
  });
  return { url, mirror, sql, told, note };
}

/** The checkpoint over so many leaves, once a witness has cosigned it. */
async function noteOver(sql: Database, size: bigint): Promise<string> {
  const signal = AbortSignal.timeout(280_000);
  for (;;) {
    signal.throwIfAborted();
    const note = await cosigned(sql, 1);
    if (note && BigInt(note.split('\n')[1] ?? '') === size) return note;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('10: two clients are shown two logs that go on from one, each cosigned by one witness', async () => {
  await using scope = new AsyncDisposableStack();
  const [alpha, beta] = on.witnesses as [WitnessHome, WitnessHome];
  const one = await viewOf(scope, alpha);
  const other = await viewOf(scope, beta);
  const [size] = [one, other].map(({ note }) => note.split('\n')[1]);
  const crossed = { method: 'POST', body: `old ${size}\n\n${other.note}` };
  const answer = await fetch(`${one.url}/add-checkpoint`, crossed);
  assert.equal(answer.status, 422, 'a witness signs one log of one size');
  const compared = await kept(on.folder, 'other-view', other.note);
  const monitor = (...args: string[]) =>
    impound(['ledger', 'fsck', '--mirror', one.mirror, ...args]);
  assert.equal((await monitor('--known', on.newest)).code, EXIT.ok);
  const seen = await monitor('--known', on.newest, '--known', compared);
  assert.equal(seen.code, EXIT.history, seen.out);
  assert.match(seen.out, /as others know it: the log was rewritten/);
  for (const [view, name] of [
    [one, 'alpha'],
    [other, 'beta'],
  ] as const) {
    const bag = await emptied(on.folder, `bag-${name}`);
    const policy = await kept(on.folder, 'no-policy', 'quorum none\n');
    await exportBag(view.sql, { told: view.told, secret: on.secret, policy }, bag);
    const verified = await impound(['verify', bag, ...on.trust]);
    assert.equal(verified.code, EXIT.witness, verified.out);
    const words = `quorum-unmet: cosigned by ${name}, where the policy wants 2 of (alpha, beta)`;
    assert.ok(verified.out.includes(words), verified.out);
  }
});

const run = promisify(execFile);

/** Has a server that is stopped, and whose files were copied, follow another one when it starts. */
async function follow(primary: PostgresServer, dataDir: string): Promise<void> {
  const { port, username, password } = new URL(primary.url('postgres'));
  const info = `host=127.0.0.1 port=${port} user=${username} password=${password}`;
  const cluster = join(dataDir, 'cluster');
  await appendFile(join(cluster, 'postgresql.auto.conf'), `primary_conninfo = '${info}'\n`);
  await run('cp', ['-a', join(cluster, 'PG_VERSION'), join(cluster, 'standby.signal')]);
}

test('8: a replica takes over that had not heard of the last commits', async (t) => {
  await using scope = new AsyncDisposableStack();
  const folder = await stageFolder();
  const secret = newLogKeys(ORIGIN);
  const log = headSigners(readLogKeys(secret)).own.vkey;
  const witness = await witnessHome(folder, 'witness.alpha.example/1', log);
  const POLICY = policyOf([witness], [await witness.serve(scope)]);
  const [dataDir, copy] = [join(folder, 'primary'), join(folder, 'replica')];
  await using empty = await startPostgres({ dataDir }, t.signal);
  await empty.stop();
  await run('cp', ['-a', dataDir, copy]);
  await using primary = await startPostgres({ dataDir }, t.signal);
  await follow(primary, copy);
  await using replica = await startPostgres({ dataDir: copy }, t.signal);
  const at = (server: PostgresServer, name: string) => ({ server, name, url: server.url(name) });
  await connect(scope, at(primary, 'postgres')).unsafe('create database custody');
  const there = scopeOf(scope.use(new AsyncDisposableStack()));
  const it = await world(there, { database: at(primary, 'custody'), keys: secret });
  await startLedger(scope, it, { POLICY });
  await begin(it, 20);
  const admin = connect(scope, at(replica, 'postgres'));
  const behind = at(replica, 'custody');
  const sql = connect(scope, behind);
  await until(async () => {
    const [last] = await sql`select max(size_after) as size from ledger_batch`.catch(() => []);
    return Number(last?.['size']) === 21;
  });
  await admin.unsafe(`alter system set primary_conninfo = ''`);
  await admin`select pg_reload_conf()`;
  await until(async () => (await admin`select from pg_stat_wal_receiver`).length === 0);
  await begin(it, 20);
  const known = await kept(folder, 'known', await noteOver(it.sql(), 41n));
  await primary.kill();
  await admin`select pg_promote()`;
  const next = { database: behind, migrated: false, keys: secret };
  const other = await world(scopeOf(scope), next);
  const starting = startLedger(scope, other, { POLICY });
  await assert.rejects(starting, /witness\.alpha.* knows 41 leaves .*, the database holds 21/);
  const looked = await fsck(behind, '--known', known);
  assert.equal(looked.code, EXIT.history, looked.out);
  assert.match(looked.out, /others know 41 leaves, and 21 are there: the end was cut off/);
});

/** What a witness would sign, by whoever has its key. */
async function cosignedBy(witness: WitnessHome, note: string): Promise<string> {
  const key = createPrivateKey(await readFile(join(witness.folder, 'key.pem')));
  const time = BigInt(Math.floor(Date.now() / 1_000));
  const { text } = parseNote(Buffer.from(note));
  const signed = sign(null, cosignedMessage(time, text), key);
  return signatureLine(witness.vkey, writeCosignature(time, signed));
}

test("30: the keys of the log and of a witness are in one hand, or all witnesses are the log's", async () => {
  await using scope = new AsyncDisposableStack();
  const [alpha, beta] = on.witnesses as [WitnessHome, WitnessHome];
  const database = await copied(scope, on.database);
  const sql = connect(scope, database);
  await rewriteWhole(sql, on.secret, LONELY);
  const rows = await sql`select size, note from ledger_checkpoint where head = 'own'
    order by size desc limit 1`;
  const [{ size, note } = {}] = rows;
  const cosign = async (witness: WitnessHome) => {
    const line = await cosignedBy(witness, String(note));
    await sql`insert into ledger_cosignature (size, head, witness, line, cosigned_at)
      values (${size}, 'own', ${witness.vkey.name}, ${line}, now())`;
  };
  await cosign(alpha);
  const policy = await kept(on.folder, 'no-policy', 'quorum none\n');
  const bag = await emptied(on.folder, 'one-hand');
  await exportBag(sql, { told: on.told, secret: on.secret, policy }, bag);
  const strict = await impound(['verify', bag, ...on.trust]);
  assert.equal(strict.code, EXIT.witness, strict.out);
  assert.match(
    strict.out,
    /quorum-unmet: cosigned by alpha, where the policy wants 2 of \(alpha, b/,
  );
  const anyOf = policyOf([alpha, beta]).replace('enough all', 'enough any');
  const lax = await kept(on.folder, 'lax', anyOf);
  const [vkeyOption = '', vkey = ''] = on.trust;
  const taken = await impound(['verify', bag, vkeyOption, vkey, '--policy', lax]);
  assert.equal(taken.code, EXIT.ok, taken.out);
  const words =
    'more than the word of alpha.example or of beta.example: enough alone by this policy';
  assert.ok(taken.out.includes(words), taken.out);
  // Both witnesses in the hand as well: only what somebody has kept tells of it.
  await cosign(beta);
  await exportBag(sql, { told: on.told, secret: on.secret, policy }, bag);
  assert.equal((await impound(['verify', bag, ...on.trust])).code, EXIT.ok);
  const known = await impound(['verify', bag, ...on.trust, '--known', on.newest]);
  assert.equal(known.code, EXIT.history, known.out);
  assert.match(known.out, /history-differs: the log was rewritten: \d+ leaves with root/);
});
