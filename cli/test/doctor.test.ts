// SPDX-License-Identifier: Apache-2.0
// impound doctor against real things that are well, and then made sick.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { startCluster } from '@impound/lab/cluster.ts';
import { openDatabase } from '@impound/runtime/postgres.ts';
import { Secret } from '@impound/runtime/secret.ts';
import { testBus } from '@impound/runtime/testing/bus.ts';
import { EXIT } from '../src/exit-code.ts';
import { begin, clean, type Ended, impound, type Running } from './command-line.ts';
import { openWorld, type World } from './world.ts';

const scope = new AsyncDisposableStack();
let world: World;
let data: string;
let platform: Running;
let databaseUrl: string;
let superuserUrl: string;

before(async () => {
  world = scope.use(await openWorld());
  data = join(world.folder, 'data');
  const cluster = ['--kubeconfig', world.kubeconfig, '--cluster', 'demo'];
  platform = begin(['up', '--data', data, ...cluster]);
  scope.defer(async () => {
    platform.kill('SIGTERM');
    assert.equal((await platform.end).code, EXIT.ok);
  });
  await platform.says(/impound is up at/);
  ({ databaseUrl } = JSON.parse(await readFile(join(data, 'platform.json'), 'utf8')));
  const secret = await readFile(join(data, 'postgres', 'secret'), 'utf8');
  const url = new URL(databaseUrl);
  url.username = 'postgres';
  url.password = createHmac('sha256', secret).update('postgres').digest('base64url');
  superuserUrl = url.href;
});

after(() => scope.disposeAsync());

interface Told {
  readonly check: string;
  readonly verdict: string;
  readonly what: string;
  readonly next?: string;
}

async function doctor(...args: readonly string[]): Promise<Ended & { readonly told: Told[] }> {
  const given = args.length === 0 ? ['--data', data] : args;
  const done = await impound(['doctor', ...given, '--json']);
  clean(done, new URL(databaseUrl).password, new URL(superuserUrl).password);
  const told = done.values.filter(({ kind }) => kind === 'finding') as never as Told[];
  for (const one of told) assert.equal(one.next === undefined, one.verdict === 'ok', one.what);
  return { ...done, told };
}

/** What is not well, without what is only advised. */
function ill(told: readonly Told[]): readonly string[] {
  return told
    .filter(({ verdict }) => verdict === 'sick' || verdict === 'unknown')
    .map(({ check, verdict }) => `${check}: ${verdict}`);
}

function words(told: readonly Told[], check: string): string {
  const found = told.filter((one) => one.check === check && one.verdict !== 'ok');
  return found.map(({ what }) => what).join('\n');
}

async function asSuperuser(t: TestContext, change: string, back: string): Promise<void> {
  const open = new AsyncDisposableStack();
  const sql = openDatabase(new Secret(superuserUrl), { connectionsMax: 1, name: 'test' }, open);
  t.after(async () => {
    await sql.unsafe(back);
    await open.disposeAsync();
  });
  await sql.unsafe(change);
}

test('a platform that has just begun is well, and every check was done', async () => {
  const { code, told, values, err } = await doctor();
  assert.deepEqual(ill(told), [], err);
  assert.equal(code, EXIT.ok);
  const checks = new Set(told.map(({ check }) => check));
  for (const check of ['node-version', 'nats-version', 'nats-durability', 'nats-identities']) {
    assert.ok(checks.has(check), check);
  }
  for (const check of ['postgres-durability', 'ledger-guards', 'postgres-roles', 'consumers']) {
    assert.ok(checks.has(check), check);
  }
  for (const check of ['clusters', 'cluster-rights', 'store-retention', 'clock', 'gateway']) {
    assert.ok(checks.has(check), check);
  }
  const { kind, sick, exitCode } = values.at(-1) ?? {};
  assert.deepEqual({ kind, sick, exitCode }, { kind: 'result', sick: 0, exitCode: 0 });
});

test('for people it is a sentence for each thing, and what to do', async () => {
  const done = await impound(['doctor', '--data', data]);
  assert.equal(done.code, EXIT.ok, done.err);
  assert.match(done.out, /^ok +node-version +Node 2\d/m);
  assert.match(done.out, /^advice +postgres-copies .*\n +what to do: /m);
  assert.match(done.out, /0 sick, 0 not looked at/);
});

test('where no platform runs, what was not looked at is not called well', async () => {
  const { code, told } = await doctor('--data', join(world.folder, 'nothing'));
  assert.equal(code, EXIT.unreachable);
  for (const check of ['bus', 'postgres', 'gateway', 'store-retention', 'data-directory']) {
    assert.ok(ill(told).includes(`${check}: unknown`), check);
  }
});

test('secrets that others can read, and a directory that others can write, are sick', async (t) => {
  const keys = join(data, 'keys.json');
  t.after(() => Promise.all([chmod(keys, 0o600), chmod(data, 0o700)]));
  await chmod(keys, 0o644);
  await chmod(data, 0o777);
  const { code, told } = await doctor();
  assert.equal(code, EXIT.findings);
  assert.deepEqual(ill(told), ['data-directory: sick', 'secret-files: sick']);
  assert.match(words(told, 'secret-files'), /keys\.json .*mode 644/);
});

const CHANGES: readonly (readonly [string, string, string, string, RegExp])[] = [
  [
    'another role may change the ledger',
    'create role etl; grant update on ledger_entry to etl',
    'revoke all on ledger_entry from etl; drop role etl',
    'postgres-roles',
    /role etl may UPDATE ledger_entry/,
  ],
  [
    'the writer may delete',
    'grant delete on ledger_batch to ledger_writer',
    'revoke delete on ledger_batch from ledger_writer',
    'ledger-guards',
    /ledger_writer holds ledger_batch DELETE/,
  ],
  [
    'a trigger is asleep',
    'alter table ledger_entry disable trigger ledger_entry_no_change',
    'alter table ledger_entry enable always trigger ledger_entry_no_change',
    'ledger-guards',
    /ledger_entry_no_change is not ENABLE ALWAYS/,
  ],
  [
    'commits of the writer do not wait for the disk',
    'alter role ledger_writer set synchronous_commit = off',
    'alter role ledger_writer reset synchronous_commit',
    'postgres-durability',
    /synchronous_commit off/,
  ],
  [
    'the owner can log in',
    'alter role ledger_owner login',
    'alter role ledger_owner nologin',
    'postgres-roles',
    /ledger_owner can log in/,
  ],
];
for (const [what, change, back, check, told] of CHANGES) {
  test(`it is sick where ${what}`, async (t) => {
    await asSuperuser(t, change, back);
    const done = await doctor();
    assert.equal(done.code, EXIT.findings);
    assert.deepEqual(ill(done.told), [`${check}: sick`], done.out);
    assert.match(words(done.told, check), told);
  });
}

test('clusters that are away, unverified or opened too wide are told apart', async (t) => {
  const everything = { apiGroups: ['*'], resources: ['*'], verbs: ['*'] };
  const lab = await startCluster({
    cluster: 'other',
    namespaces: [{ name: 'default' }],
    accounts: [{ name: 'default/root', rules: [everything] }],
  });
  t.after(() => lab[Symbol.asyncDispose]());
  const kubeconfig = async (name: string, change: (text: string) => string) => {
    const path = join(world.folder, `${name}.yaml`);
    await writeFile(path, change(lab.kubeconfig('default/root')), { mode: 0o600 });
    return { kubeconfig: path };
  };
  const clusters = {
    wide: await kubeconfig('wide', (text) => text),
    away: await kubeconfig('away', (text) => text.replace(lab.url, 'https://127.0.0.1:1')),
    blind: await kubeconfig('blind', (text) =>
      text.replace(/certificate-authority-data: .*/, 'insecure-skip-tls-verify: true'),
    ),
  };
  const list = join(world.folder, 'clusters.json');
  await writeFile(list, JSON.stringify(clusters), { mode: 0o600 });
  const env = join(world.folder, 'clusters.env');
  await writeFile(env, `CLUSTERS_FILE=${list}\nDISCOVERY_CLUSTERS_FILE=${list}\n`);
  const { code, told } = await doctor('--env', env);
  assert.equal(code, EXIT.findings);
  assert.match(words(told, 'clusters'), /away cannot be used by the executor: .*127\.0\.0\.1:1/);
  assert.match(words(told, 'clusters'), /blind: .*insecure-skip-tls-verify/);
  assert.match(
    words(told, 'cluster-rights'),
    /executor's account in wide may \* \*\.\* in default/,
  );
  assert.match(words(told, 'cluster-rights'), /discovery's account in wide may \* \*\.\*/);
});

test('a bus that lets anybody in is sick, and one that is away is, too', async (t) => {
  const open = await testBus(t);
  const env = join(world.folder, 'bus.env');
  const urls = `NATS_URL=${open.url}\nDATABASE_URL=postgres://ledger_reader:hunter22@127.0.0.1:1/x\n`;
  await writeFile(env, `${urls}STORE_URL=file://${join(data, 'evidence')}\n`);
  const { code, told, out } = await doctor('--env', env);
  assert.equal(code, EXIT.findings);
  assert.match(words(told, 'nats-identities'), /whoever comes/);
  assert.match(words(told, 'nats-durability'), /does not tell/);
  assert.match(words(told, 'postgres'), /cannot be looked at/);
  assert.doesNotMatch(out, /hunter22/);
  await open.kill();
  assert.ok(ill((await doctor('--env', env)).told).includes('bus: sick'));
});

test('a password or a token that nobody knows is told apart from what is away', async () => {
  const { url } = JSON.parse(await readFile(join(data, 'platform.json'), 'utf8'));
  const [env, wrong] = [join(world.folder, 'unknown.env'), new URL(databaseUrl)];
  wrong.password = 'of-yesterday';
  const token = 'x'.repeat(43);
  await writeFile(env, `DATABASE_URL=${wrong}\nGATEWAY_URL=${url}\nGATEWAY_TOKEN=${token}\n`);
  const { told, out } = await doctor('--env', env);
  const next = (check: string) => told.find((one) => one.check === check)?.next ?? '';
  assert.match(next('postgres'), /after a rotation migrate/);
  assert.match(next('gateway'), /token of an integration/);
  assert.doesNotMatch(out, /of-yesterday|xxxx/);
});

test('an environment that does not fit is refused, and its values are not repeated', async () => {
  const env = join(world.folder, 'wrong.env');
  await writeFile(env, 'GATEWAY_URL=hunter22\nSTORE_URL=hunter22\n');
  const done = await impound(['doctor', '--env', env]);
  assert.equal(done.code, EXIT.usage);
  assert.match(done.err, /GATEWAY_URL is not what it should be/);
  assert.doesNotMatch(done.out + done.err, /hunter22/);
  const missing = await impound(['doctor', '--env', join(world.folder, 'no.env')]);
  assert.equal(missing.code, EXIT.usage);
  assert.match(missing.err, /cannot be read: ENOENT/);
});
