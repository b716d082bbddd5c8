// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { newId } from '@impound/runtime/ids.ts';
import { openLog } from '@impound/runtime/log.ts';
import { openDatabase } from '@impound/runtime/postgres.ts';
import { Secret } from '@impound/runtime/secret.ts';
import { start } from '@impound/runtime/start.ts';
import { opensslAuthority } from '@impound/timestamp/testing/openssl-authority.ts';
import { openCheckpoint } from '@impound/transparency/checkpoint.ts';
import {
  headSigners,
  newLogKeys,
  readLogKeys,
  rotatedLogKeys,
} from '@impound/transparency/log-keys.ts';
import { formatVkey, parseVkey } from '@impound/transparency/vkey.ts';
import { initWitness } from '@impound/witness/init.ts';
import { openWitness } from '@impound/witness/witness.ts';
import { mirroredLog } from '../src/adapters/mirror-fsck.ts';
import { TRIGGERS } from '../src/domain/guards.ts';
import { fsck } from '../src/handlers/fsck.ts';
import { ledger } from '../src/service.ts';
import { keptLog, requested, until, type World, world } from './world.ts';

const SECRET = newLogKeys('ledger.test/log');
const LOG = headSigners(readLogKeys(SECRET)).own.vkey;

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'impound-outside-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A witness of our own, and the policy that names it. */
async function witnessOf(t: TestContext) {
  const folder = await folderOf(t);
  const name = 'witness.test/1';
  const vkey = parseVkey(await initWitness(folder, name));
  const scope = new AsyncDisposableStack();
  t.after(() => scope.disposeAsync());
  const config = {
    WITNESS_NAME: name,
    WITNESS_KEY: new Secret(await readFile(join(folder, 'key.pem'), 'utf8')),
    LOGS: formatVkey(LOG),
    STATE_FILE: join(folder, 'state.json'),
    ...{ HOST: '127.0.0.1', PORT: 0, HEALTH_PORT: 0, LOG_LEVEL: 'silent' as const },
  };
  const { port } = await openWitness(config, openLog('witness', 'silent'), scope);
  const url = `http://127.0.0.1:${port}`;
  return { vkey, policy: `witness w ${formatVkey(vkey)} ${url}\nquorum w\n` };
}

async function begin(it: World, count: number): Promise<void> {
  const say = () => it.say(AcquisitionRequestedV1, newId(), requested);
  const replies = await Promise.all(Array.from({ length: count }, say));
  assert.ok(replies.every(({ ok }) => ok));
}

function startWith(t: TestContext, it: World, more: Record<string, string>, log = keptLog()) {
  const running = start(ledger, { ...it.environment(), ...more }, log);
  t.after(async () => (await running.catch(() => undefined))?.[Symbol.asyncDispose]());
  return running;
}

/** What is left of a database where its newest leaves are gone without a trace. */
async function cutOff(t: TestContext, it: World, size: number): Promise<void> {
  const scope = new AsyncDisposableStack();
  t.after(() => scope.disposeAsync());
  const url = it.database.server.url(it.database.name);
  const sql = openDatabase(new Secret(url), { connectionsMax: 1, name: 'attacker' }, scope);
  const triggers = (how: string) =>
    TRIGGERS.map((name) => {
      const table = name.replace(/_no_(change|truncate)$/, '');
      return `alter table ${table} ${how} trigger ${name};`;
    }).join('');
  await sql.unsafe(`${triggers('disable')}
    delete from ledger_cosignature where size > ${size};
    delete from ledger_anchor where size > ${size};
    delete from ledger_checkpoint where size > ${size};
    delete from ledger_batch where size_after > ${size};
    delete from ledger_entry where idx >= ${size};
    delete from ledger_tile where (n + 1) * 256 > ${size};
    ${triggers('enable always')}`);
}

test('checkpoints are cosigned by a witness, and a log that was cut off is not gone on with', async (t) => {
  const it = await world(t, { keys: SECRET });
  const { vkey, policy } = await witnessOf(t);
  const running = await startWith(t, it, { POLICY: policy });
  const sql = it.sql();
  const witnessed = async (size: number) => {
    await until(t, async () => {
      const rows = await sql`select from ledger_cosignature where size >= ${size}`;
      return rows.length > 0;
    });
  };
  await begin(it, 3);
  await witnessed(4);
  const [middle] = await sql`select max(size_after) as size from ledger_batch`;
  await begin(it, 300);
  await witnessed(304);
  const [row] = await sql`select c.note || s.line as note, s.witness from ledger_cosignature s
    join ledger_checkpoint c using (size, head) order by c.size desc limit 1`;
  const cosigned = openCheckpoint(Buffer.from(String(row?.['note'])), [LOG, vkey]);
  assert.deepEqual(
    cosigned.verified.map(({ key }) => key.name),
    [LOG.name, 'witness.test/1'],
  );
  await running[Symbol.asyncDispose]();

  await cutOff(t, it, Number(middle?.['size']));
  // The stream would tell as well: without it, only the witness remembers.
  const other = { database: it.database, migrated: false, keys: SECRET };
  const restored = await world(t, other);
  await assert.rejects(
    startWith(t, restored, { POLICY: policy }),
    /witness\.test\/1 knows 304 leaves of this log, the database holds 4/,
  );
});

test('a mirror holds what the database does, can be checked alone, and remembers', async (t) => {
  const it = await world(t, { keys: SECRET });
  const folder = await folderOf(t);
  const environment = { MIRROR_URL: pathToFileURL(folder).href };
  const running = await startWith(t, it, environment);
  await begin(it, 2);
  const sizeOf = async () => {
    const bytes = await readFile(join(folder, 'checkpoint')).catch(() => undefined);
    return bytes === undefined ? 0n : openCheckpoint(bytes, [LOG]).size;
  };
  await until(t, async () => (await sizeOf()) >= 3n);
  await begin(it, 400);
  await until(t, async () => (await sizeOf()) === 403n);
  await running[Symbol.asyncDispose]();
  const outside = { keys: [LOG], known: [] };
  const look = async () =>
    fsck(await mirroredLog(folder), outside, () => undefined, new AbortController().signal);
  const good = await look();
  assert.deepEqual([good.findings, good.entries, good.signed], [[], 403, 1]);

  await cutOff(t, it, 3);
  const restored = await world(t, { database: it.database, migrated: false, keys: SECRET });
  await assert.rejects(startWith(t, restored, environment), /mirror .* knows 403 leaves/);

  const bundle = join(folder, 'tile/entries/000');
  const bytes = await readFile(bundle);
  await writeFile(
    bundle,
    Buffer.from(bytes.toString('latin1').replace('"salt":"', '"sait":"'), 'latin1'),
  );
  const [first] = (await look()).findings;
  assert.deepEqual([first?.class, first?.idx], ['entry', 0]);
});

test('a checkpoint is stamped by an authority of time, in the bytes that are kept beside the token', async (t) => {
  const it = await world(t, { keys: SECRET });
  const authority = await opensslAuthority(t);
  await startWith(t, it, { TSA_URL: authority.url.href, TSA_CERTIFICATES: authority.root });
  const sql = it.sql();
  await until(t, async () => (await sql`select from ledger_anchor`).length > 0);
  const [row] = await sql`select note, token, kind from ledger_anchor`;
  const note = Buffer.from(String(row?.['note']));
  assert.equal(row?.['kind'], 'rfc3161');
  assert.equal(openCheckpoint(note, [LOG]).origin, LOG.name);
  assert.equal(await authority.verify(row?.['token'] as Buffer, note), true);
});

test('a mirror goes on, and remembers, when the key of the checkpoints is changed', async (t) => {
  const it = await world(t, { keys: SECRET });
  const folder = await folderOf(t);
  const environment = { MIRROR_URL: pathToFileURL(folder).href };
  const first = await startWith(t, it, environment);
  await begin(it, 2);
  const at = async () => (await readFile(join(folder, 'checkpoint')).catch(() => '')).toString();
  await until(t, async () => (await at()).includes('\n3\n'));
  await first[Symbol.asyncDispose]();

  const secret = rotatedLogKeys(SECRET, 'checkpoint');
  const changed = await world(t, { ...it, migrated: false, keys: secret });
  const log = keptLog();
  const second = await startWith(t, changed, environment, log);
  await until(t, async () => (await at()).includes('\n5\n'));
  const phrases = log.lines.map(({ phrase }) => phrase);
  assert.deepEqual(
    phrases.filter((phrase) => ['not mirrored', 'memory outside not asked'].includes(phrase)),
    [],
  );
  const own = headSigners(readLogKeys(secret)).own.vkey;
  assert.equal(openCheckpoint(Buffer.from(await at()), [own]).size, 5n);
  await second[Symbol.asyncDispose]();
});

test('each token is on record in the log behind what it was given for, and the log stands still after it', async (t) => {
  const it = await world(t, { keys: SECRET });
  const authority = await opensslAuthority(t);
  const environment = { TSA_URL: authority.url.href, TSA_CERTIFICATES: authority.root };
  const first = await startWith(t, it, environment);
  const sql = it.sql();
  const stamps = async () => {
    const rows = await sql`select idx, convert_from(entry, 'UTF8')::jsonb #> '{event,data}' as data
      from ledger_entry where type = 'checkpoint.stamped.v1' order by idx`;
    return rows.map((row) => ({ idx: Number(row['idx']), ...row['data'] }));
  };
  await until(t, async () => (await stamps()).length === 1);
  const [row] = await sql`select size, note, token from ledger_anchor`;
  const token = row?.['token'] as Buffer;
  const note = Buffer.from(String(row?.['note']));
  const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  const [stamp] = await stamps();
  assert.deepEqual(
    [stamp?.size, stamp?.noteSha256, stamp?.tokenSha256],
    [Number(row?.['size']), hash(note), hash(token)],
  );
  assert.ok((stamp?.idx ?? 0) >= Number(row?.['size']));
  assert.equal(await authority.verify(token, note), true);
  await first[Symbol.asyncDispose]();

  // A ledger that starts again says the last one again, which is one entry, and stamps nothing.
  const log = keptLog();
  const second = await startWith(t, it, environment, log);
  await begin(it, 1);
  await until(t, async () => (await stamps()).length === 2);
  const [again] = await sql`select count(*)::int as tokens from ledger_anchor`;
  assert.equal(again?.['tokens'], 2);
  await second[Symbol.asyncDispose]();
});

test('an authority of time that hangs, fails or lies holds up nothing that is said', async (t) => {
  const it = await world(t, { keys: SECRET });
  const authority = await opensslAuthority(t);
  const hanging = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(hanging, 'listening');
  t.after(() => {
    hanging.closeAllConnections();
    hanging.close();
  });
  const { port } = hanging.address() as AddressInfo;
  const asked = once(hanging, 'request');
  const given = { TSA_URL: `http://127.0.0.1:${port}/`, TSA_CERTIFICATES: authority.root };
  const first = await startWith(t, it, given);
  await begin(it, 1);
  await asked;
  await begin(it, 20);
  await first[Symbol.asyncDispose]();

  authority.answers = (token) => ({ body: token.subarray(0, token.length - 9) });
  const log = keptLog();
  const lying = { TSA_URL: authority.url.href, TSA_CERTIFICATES: authority.root };
  await startWith(t, it, lying, log);
  await until(t, () => log.lines.some(({ phrase }) => phrase === 'not stamped'));
  await begin(it, 20);
  assert.equal((await it.sql()`select from ledger_anchor`).length, 0);
});
