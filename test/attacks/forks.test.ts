// SPDX-License-Identifier: Apache-2.0
// The log is rewritten, cut off, restored, forked. Who finds it: whoever remembers it elsewhere.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { postgresPen } from '@impound/ledger/adapters/postgres-pen.ts';
import { postgresProofs } from '@impound/ledger/adapters/postgres-proofs.ts';
import { ledgerConsistency } from '@impound/ledger/handlers/ledger-consistency.ts';
import { Secret } from '@impound/runtime/secret.ts';
import type { TestDatabase } from '@impound/runtime/testing/database.ts';
import { until } from '@impound/runtime/testing/until.ts';
import { openCheckpoint } from '@impound/transparency/checkpoint.ts';
import { formatVkey } from '@impound/transparency/vkey.ts';
import { EXIT } from '../../cli/src/exit-code.ts';
import { keptLog, world } from '../../services/ledger/test/world.ts';
import { exportBag } from './bag.ts';
import { emptied, fsck, impound } from './detectors.ts';
import {
  begin,
  connect,
  copied,
  kept,
  policyOf,
  type Recorded,
  recordedLog,
  scopeOf,
  startLedger,
  type WitnessHome,
} from './stage.ts';
import { added, cutOff, LONELY, rewriteWhole, tampered } from './tamper.ts';

let on: Recorded;

before(async () => {
  on = await recordedLog();
});

/** How many leaves a checkpoint in a file is over. */
async function sizeIn(file: string): Promise<number> {
  return Number(openCheckpoint(await readFile(file), [on.log]).size);
}

/** A ledger starts on a database, with its witnesses there; what becomes of that. */
async function starting(database: TestDatabase, more: Record<string, string> = {}) {
  await using scope = new AsyncDisposableStack();
  const it = await world(scopeOf(scope), { database, migrated: false, keys: on.secret });
  const served = await Promise.all(on.witnesses.map((one) => one.serve(scope)));
  await startLedger(scope, it, { POLICY: policyOf(on.witnesses, served), ...more });
}

/** What a witness answers where it is shown a note, as growing from a size. */
async function shownTo(witness: WitnessHome, sql: ReturnType<typeof connect>, note: string) {
  await using scope = new AsyncDisposableStack();
  const url = await witness.serve(scope);
  const [from, to] = [await sizeIn(on.newest), Number(note.split('\n')[1])];
  const { path = [] } = await ledgerConsistency(
    { from, to },
    { proofs: postgresProofs(sql, () => true) },
  );
  const body = `old ${Math.min(from, to)}\n${path.map((hash) => `${hash}\n`).join('')}\n${note}`;
  const answer = await fetch(`${url}/add-checkpoint`, { method: 'POST', body });
  return { status: answer.status, text: await answer.text() };
}

async function newestNote(sql: ReturnType<typeof connect>): Promise<string> {
  const [row] = await sql`
    select note from ledger_checkpoint where head = 'own' order by size desc limit 1`;
  return String(row?.['note']);
}

test('the log as it was recorded is gone on with, by everybody who remembers it', async () => {
  await using scope = new AsyncDisposableStack();
  const database = await copied(scope, on.database);
  await starting(database, { MIRROR_URL: pathToFileURL(on.mirror).href });
  const by = ['--vkey', formatVkey(on.log), '--known', on.early, '--known', on.newest];
  const whole = await fsck(database, ...by);
  assert.deepEqual([whole.code, whole.out.includes('it fits')], [EXIT.ok, true], whole.out);
  const mirror = await impound(['ledger', 'fsck', '--mirror', on.mirror, ...by]);
  assert.deepEqual([mirror.code, mirror.out.includes('it fits')], [EXIT.ok, true], mirror.out);
  const sql = connect(scope, database);
  for (const witness of on.witnesses) {
    assert.equal((await shownTo(witness, sql, await newestNote(sql))).status, 200);
  }
});

test('3: everything is written anew and signed with the real keys', async () => {
  await using scope = new AsyncDisposableStack();
  const database = await copied(scope, on.database);
  const sql = connect(scope, database);
  await rewriteWhole(sql, on.secret, LONELY);
  const alone = await fsck(database, '--vkey', formatVkey(on.log));
  assert.equal(alone.code, EXIT.ok, alone.out);
  assert.match(alone.out, /not proven here: that nobody rewrote all of it/);
  const known = await fsck(database, '--known', on.early);
  assert.equal(known.code, EXIT.history);
  const early = await sizeIn(on.early);
  assert.ok(known.out.includes(`history at ${early}: the root over ${early} leaves`), known.out);
  assert.match(known.out, /as others know it: the log was rewritten/);
  const forged = await kept(on.folder, 'rewritten', await newestNote(sql));
  const mirror = await impound(['ledger', 'fsck', '--mirror', on.mirror, '--known', forged]);
  assert.deepEqual([mirror.code, /the log was rewritten/.test(mirror.out)], [EXIT.history, true]);
  for (const witness of on.witnesses) {
    assert.equal((await shownTo(witness, sql, await newestNote(sql))).status, 422);
  }
  await assert.rejects(starting(database), /knows another log than the database holds, up to/);
  const bag = await emptied(on.folder, 'rewritten-bag');
  const policy = await kept(on.folder, 'no-policy', 'quorum none\n');
  await exportBag(sql, { ...on, policy }, bag);
  const verified = await impound(['verify', bag, ...on.trust]);
  assert.equal(verified.code, EXIT.witness, verified.out);
  assert.match(verified.out, /quorum-unmet: cosigned by nobody, where the policy wants 2 of/);
});

test('6: the newest leaves are cut off, with all that was said about them', async () => {
  await using scope = new AsyncDisposableStack();
  const size = await sizeIn(on.early);
  const { database, sql } = await tampered(scope, on, cutOff(size));
  const alone = await fsck(database);
  assert.equal(alone.code, EXIT.ok, alone.out);
  assert.match(alone.out, /not proven here: .* or cut off its end/);
  const known = await fsck(database, '--known', on.newest);
  assert.equal(known.code, EXIT.history);
  const all = await sizeIn(on.newest);
  assert.ok(
    known.out.includes(`others know ${all} leaves, and ${size} are there: the end was cut`),
  );
  const answer = await shownTo(on.witnesses[0] as WitnessHome, sql, await newestNote(sql));
  assert.deepEqual([answer.status, answer.text], [409, `${all}\n`]);
  const behind = (name: string) =>
    new RegExp(`${name}.* knows ${all} leaves of this log, the database holds ${size}`);
  await assert.rejects(starting(database), behind('witness.alpha'));
  const mirror = { POLICY: 'quorum none\n', MIRROR_URL: pathToFileURL(on.mirror).href };
  await assert.rejects(starting(database, mirror), behind('mirror'));
});

test('7: a backup is restored and written on, out of sight of all who remember', async (_t) => {
  await assert.rejects(starting(on.backup), /witness\.alpha.* knows \d+ leaves of this log/);
  await using scope = new AsyncDisposableStack();
  const database = await copied(scope, on.backup);
  const it = await world(scopeOf(scope), { database, migrated: false, keys: on.secret });
  const [alpha] = on.witnesses as [WitnessHome];
  const log = keptLog();
  const port = await writtenOn(scope, { it, alpha, log });
  const { size } = openCheckpoint(Buffer.from(await newestNote(it.sql())), [on.log]);
  assert.ok(Number(size) > (await sizeIn(on.newest)));
  await alpha.serve(scope, port);
  const ended = () => log.lines.find(({ phrase }) => phrase === 'not writing any more');
  await until(() => ended() !== undefined);
  assert.match(
    JSON.stringify(ended()),
    /log-rewritten.*witness\.alpha\.example\/1 knows another log/,
  );
  const known = await fsck(database, '--known', on.newest);
  assert.equal(known.code, EXIT.history);
  assert.match(known.out, /as others know it: the log was rewritten/);
});

interface WrittenOn {
  readonly it: Awaited<ReturnType<typeof world>>;
  readonly alpha: WitnessHome;
  readonly log: ReturnType<typeof keptLog>;
}

/** A ledger whose witness is away writes more than the witness has ever seen; gives its port. */
async function writtenOn(scope: AsyncDisposableStack, { it, alpha, log }: WrittenOn) {
  await using away = new AsyncDisposableStack();
  const url = await alpha.serve(away);
  await away.disposeAsync();
  await startLedger(scope, it, { POLICY: policyOf([alpha], [url]) }, log);
  await begin(it, 200);
  assert.ok(log.lines.some(({ phrase }) => phrase === 'memory outside not asked'));
  await until(async () => {
    const { size } = openCheckpoint(Buffer.from(await newestNote(it.sql())), [on.log]);
    return Number(size) > (await sizeIn(on.newest));
  });
  return Number(new URL(url).port);
}

test('9: two sequencers write to one database at the same time', async (t) => {
  await using scope = new AsyncDisposableStack();
  const database = await copied(scope, on.database);
  const url = new Secret(database.server.url(database.name, 'ledger_writer'));
  const take = (name: string) => postgresPen(url, name).take(() => undefined, t.signal);
  const one = await take('one');
  scope.use(one);
  const sql = connect(scope, database);
  const { size } = one.standing();
  await sql`select pg_terminate_backend(l.pid) from pg_locks l join pg_database d
    on d.oid = l.database where locktype = 'advisory' and datname = ${database.name}`;
  const two = scope.use(await take('two'));
  await two.draw(added(size)).commit();
  // It believes to hold the pen still: what stops it is the table itself.
  await assert.rejects(one.draw(added(size)).commit(), /duplicate key .* "ledger_\w+_p?key"/);
  const fork = sql`insert into ledger_batch (size_before, size_after, root, edge, writer_epoch)
    select size_before, 512, root, root, 9 from ledger_batch order by size_after desc limit 1`;
  await assert.rejects(fork, /ledger_batch_size_before_key/);
  const whole = await fsck(database, '--vkey', formatVkey(on.log), '--known', on.newest);
  assert.equal(whole.code, EXIT.ok, whole.out);
});
