// SPDX-License-Identifier: Apache-2.0
// A log as a real ledger has recorded it, and what others hold of it: the stage of every attack.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { postgresHeads } from '@impound/ledger/adapters/postgres-heads.ts';
import { rootedIn } from '@impound/ledger/handlers/rooting.ts';
import { ledger } from '@impound/ledger/service.ts';
import { newId } from '@impound/runtime/ids.ts';
import type { Log } from '@impound/runtime/log.ts';
import { openLog } from '@impound/runtime/log.ts';
import { type Database, openDatabase } from '@impound/runtime/postgres.ts';
import { Secret } from '@impound/runtime/secret.ts';
import { type Running, start } from '@impound/runtime/start.ts';
import { type TestDatabase, testDatabase } from '@impound/runtime/testing/database.ts';
import { until } from '@impound/runtime/testing/until.ts';
import { openCheckpoint } from '@impound/transparency/checkpoint.ts';
import { headSigners, newLogKeys, readLogKeys } from '@impound/transparency/log-keys.ts';
import { sshPublicKey } from '@impound/transparency/sigsum.ts';
import { formatVkey, parseVkey, type Vkey } from '@impound/transparency/vkey.ts';
import { initWitness } from '@impound/witness/init.ts';
import { openWitness } from '@impound/witness/witness.ts';
import { keptLog, requested, type World, world } from '../../services/ledger/test/world.ts';
import { exportBag } from './bag.ts';
import { type Told, tellStory } from './story.ts';

/** The name of the log that is attacked. */
export const ORIGIN = 'ledger.example.org/custody/1';
/** More than a full tile, so that tiles, edges and roots of several levels are there. */
const CHAINS_BEFORE = 150;
const CHAINS_BEHIND = 130;
const STAGE_MS_MAX = 280_000;

/** As much of a test as the helpers of other rooms need. */
export type Scope = Pick<TestContext, 'after' | 'signal'>;

/** A witness: a key and a memory in a folder of its own, whoever runs it. */
export interface WitnessHome {
  readonly vkey: Vkey;
  readonly folder: string;
  /** Begins to answer, at a free port where none is given; gives its address. */
  serve(scope: AsyncDisposableStack, port?: number): Promise<string>;
  /** The line of a policy that names it, without an address. */
  readonly line: string;
}

/** What was recorded, and what others hold of it; nothing of it runs any more but Postgres. */
export interface Recorded {
  readonly folder: string;
  readonly database: TestDatabase;
  /** A backup of it, as old as `early`. */
  readonly backup: TestDatabase;
  /** The secret of the log: whoever runs the ledger has it. */
  readonly secret: string;
  readonly log: Vkey;
  readonly witnesses: readonly WitnessHome[];
  /** The policy of auditors, in a file: two witnesses of two operators. */
  readonly policy: string;
  readonly told: Told;
  /** What auditors got by another way, as options of `impound verify`. */
  readonly trust: readonly string[];
  readonly acquisitionId: string;
  /** An export of that acquisition, as an auditor holds it. */
  readonly bag: string;
  /** A checkpoint with both cosignatures that an auditor kept early on, in a file. */
  readonly early: string;
  /** The same of the whole log. */
  readonly newest: string;
  /** A mirror of the log as it was in the end. */
  readonly mirror: string;
}

const folders: string[] = [];

// At the top of the file: what is registered in a hook ends with the hook.
after(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

/** A folder that goes with its test file. */
export async function stageFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'impound-attacks-'));
  folders.push(folder);
  return folder;
}

/** A scope whose ending is in somebody's hands, where a test would be asked for. */
export function scopeOf(scope: AsyncDisposableStack): TestContext {
  const signal = AbortSignal.timeout(STAGE_MS_MAX);
  return { after: (work: () => Promise<void>) => scope.defer(work), signal } as TestContext;
}

/** A new witness for a log. */
export async function witnessHome(folder: string, name: string, log: Vkey): Promise<WitnessHome> {
  const home = join(folder, name.replaceAll('/', '-'));
  const vkey = parseVkey(await initWitness(home, name));
  const key = new Secret(await readFile(join(home, 'key.pem'), 'utf8'));
  const [, operator] = name.split('.');
  return {
    ...{ vkey, folder: home, line: `witness ${operator} ${formatVkey(vkey)}` },
    serve: async (scope, at = 0) => {
      const config = {
        WITNESS_NAME: name,
        WITNESS_KEY: key,
        LOGS: formatVkey(log),
        STATE_FILE: join(home, 'state.json'),
        ...{ HOST: '127.0.0.1', PORT: at, HEALTH_PORT: 0, LOG_LEVEL: 'silent' as const },
      };
      const { port } = await openWitness(config, openLog('witness', 'silent'), scope);
      return `http://127.0.0.1:${port}`;
    },
  };
}

/** A policy that needs all of these witnesses; those with an address are asked for it. */
export function policyOf(witnesses: readonly WitnessHome[], at: readonly string[] = []): string {
  const lines = witnesses.map(({ line }, n) => `${line}${at[n] === undefined ? '' : ` ${at[n]}`}`);
  const names = lines.map((line) => line.split(' ')[1]).join(' ');
  return `${lines.join('\n')}\ngroup enough all ${names}\nquorum enough\n`;
}

/** A ledger over a world, with more in its environment. */
export async function startLedger(
  scope: AsyncDisposableStack,
  it: World,
  more: Readonly<Record<string, string>> = {},
  log: Log = keptLog(),
): Promise<Running> {
  return scope.use(await start(ledger, { ...it.environment(), ...more }, log));
}

/** Begins so many chains. */
export async function begin(it: World, count: number): Promise<void> {
  const say = () => it.say(AcquisitionRequestedV1, newId(), requested);
  const replies = await Promise.all(Array.from({ length: count }, say));
  assert.ok(replies.every(({ ok }) => ok));
}

/** A connection to a database, as the superuser where no role is named. */
export function connect(
  scope: AsyncDisposableStack,
  { server, name }: TestDatabase,
  role?: string,
): Database {
  const url = new Secret(server.url(name, role));
  return openDatabase(url, { connectionsMax: 1, name: 'attacks' }, scope);
}

/** A copy of a database; nobody stays connected to the one that is copied. */
export async function copied(
  scope: AsyncDisposableStack,
  from: TestDatabase,
): Promise<TestDatabase> {
  const { server } = from;
  const name = `copy_${newId().replaceAll('-', '').slice(-12)}`;
  const admin = connect(scope, { ...from, name: 'postgres' });
  await admin`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${from.name}`;
  await admin.unsafe(`create database ${name} template ${from.name}`);
  return { server, name, url: server.url(name) };
}

/** The newest checkpoint that everybody has cosigned. */
export async function cosigned(sql: Database, witnesses: number): Promise<string | undefined> {
  const [row] = await sql`
    select c.note || string_agg(s.line, '' order by s.witness) as note
    from ledger_checkpoint c join ledger_cosignature s using (size, head)
    where head = 'own' group by c.size, c.note having count(*) = ${witnesses}
    order by c.size desc limit 1`;
  return row && String(row['note']);
}

/** Whether a root over the heads of all chains covers everything that others have said. */
export async function allHeadsIn(sql: Database): Promise<boolean> {
  const book = postgresHeads(sql);
  const last = await book.rooted(Number.MAX_SAFE_INTEGER);
  return last !== undefined && !(await book.hasOthers(rootedIn(last.entry).size));
}

/** Records a log: others' chains, one whole acquisition, others' again; all of it cosigned. */
export async function recordedLog(): Promise<Recorded> {
  const folder = await stageFolder();
  const secret = newLogKeys(ORIGIN);
  const log = headSigners(readLogKeys(secret)).own.vkey;
  await using scope = new AsyncDisposableStack();
  const t = scopeOf(scope);
  const database = await testDatabase(t);
  const it = await world(t, { database, keys: secret });
  const names = ['witness.alpha.example/1', 'witness.beta.example/1'];
  const witnesses = await Promise.all(names.map((name) => witnessHome(folder, name, log)));
  const served = await Promise.all(witnesses.map((one) => one.serve(scope)));
  const mirror = join(folder, 'mirror');
  const [POLICY, MIRROR_URL] = [policyOf(witnesses, served), pathToFileURL(mirror).href];
  const shown = { POLICY, MIRROR_URL, HEADS_MS: '200' };
  const policy = await kept(folder, 'policy', `log ${formatVkey(log)}\n${policyOf(witnesses)}`);
  const sql = it.sql();
  const everybody = async (name: string) => {
    await until(() => allHeadsIn(sql));
    const [row] = await sql`select max(size_after) as size from ledger_batch`;
    let note = '';
    await until(async () => {
      note = (await cosigned(sql, witnesses.length)) ?? '';
      return note !== '' && openCheckpoint(Buffer.from(note), [log]).size >= BigInt(row?.['size']);
    });
    return await kept(folder, name, note);
  };
  await using first = await startLedger(scope, it, shown);
  await begin(it, CHAINS_BEFORE);
  const early = await everybody('early');
  await first[Symbol.asyncDispose]();
  const backup = await copied(scope, database);
  await startLedger(scope, it, shown);
  const told = await tellStory(it, newId());
  await begin(it, CHAINS_BEHIND);
  const newest = await everybody('newest');
  const { size } = openCheckpoint(await readFile(newest), [log]);
  await until(async () => {
    const bytes = await readFile(join(mirror, 'checkpoint')).catch(() => undefined);
    return bytes !== undefined && openCheckpoint(bytes, [log]).size === size;
  });
  const bag = join(folder, 'bag');
  const { acquisitionId } = told;
  const { submitter } = readLogKeys(secret);
  const pub = await kept(folder, 'submitter.pub', `${sshPublicKey(submitter.publicKey, 's')}\n`);
  const trust = ['--vkey', formatVkey(log), '--policy', policy, '--submitter', pub];
  await exportBag(sql, { told, secret, policy }, bag);
  return {
    ...{ folder, database, backup, secret, log, witnesses, policy, acquisitionId, told, trust },
    ...{ bag, early, newest, mirror },
  };
}

/** Keeps a text in a file; gives its path. */
export async function kept(folder: string, name: string, text: string | Buffer): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}
