// SPDX-License-Identifier: Apache-2.0
// The bag of a real acquisition, made by the command line of a platform whose log is witnessed and
// stamped in front of it and behind it, and whose store keeps versions and locks them where there
// is a server that does, for programs that nobody here wrote; and copies that were changed.
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasProgram, motoServer } from '@impound/bucket/testing/store-servers.ts';
import { startCluster } from '@impound/lab/cluster.ts';
import { DEMO_COLLECTOR, DEMO_TARGET, demoScenario } from '@impound/lab/scenarios.ts';
import { openLog } from '@impound/runtime/log.ts';
import { openDatabase } from '@impound/runtime/postgres.ts';
import { Secret } from '@impound/runtime/secret.ts';
import { wait } from '@impound/runtime/wait.ts';
import { opensslAuthority } from '@impound/timestamp/testing/openssl-authority.ts';
import { headSigners, newLogKeys, readLogKeys } from '@impound/transparency/log-keys.ts';
import { sigsumWitnessVkey } from '@impound/transparency/sigsum.ts';
import { formatVkey, parseVkey, type Vkey } from '@impound/transparency/vkey.ts';
import { initWitness } from '@impound/witness/init.ts';
import { openWitness } from '@impound/witness/witness.ts';
import { addCluster, type Platform, startPlatform } from '../../cli/src/platform.ts';
import { impound } from '../../cli/test/command-line.ts';

const START_MS_MAX = 120_000;
const CONTAINER = `kubernetes://lab/shop/${DEMO_TARGET.pod}/cart`;

/** A file that says something else. */
export type Change = readonly [what: string, file: string, by: (text: string) => string];

/** The bag, and what is known of the log by another way. */
export interface RealBag extends AsyncDisposable {
  readonly home: string;
  readonly bag: string;
  readonly key: Vkey;
  /** What the command line said when it had written the bag. */
  readonly said: string;
  /** The root of the authority of time, in a file. */
  readonly tsa: string;
  /** What the store itself says of versions, by the ends of their names; undefined: it has none. */
  readonly versions: ReadonlyMap<string, string> | undefined;
  /** A copy in which one file says something else, in a folder of its own. */
  changed(change: Change): Promise<string>;
}

/** Starts all of it, acquires, and ends all but the folder with the bag. */
export async function openRealBag(): Promise<RealBag> {
  const home = await mkdtemp(join(tmpdir(), 'impound-real-bag-'));
  const bag = join(home, 'bag');
  const keys = newLogKeys('ledger.example.org/custody/1');
  const done = await acquired(home, bag, keys);
  return {
    ...{ home, bag, ...done, key: headSigners(readLogKeys(keys)).own.vkey },
    changed: async ([, file, by]) => {
      const copy = join(await mkdtemp(join(home, 'changed-')), 'bag');
      await cp(bag, copy, { recursive: true });
      const text = await readFile(join(copy, file), 'latin1');
      assert.notEqual(by(text), text, file);
      await writeFile(join(copy, file), by(text), 'latin1');
      return copy;
    },
    [Symbol.asyncDispose]: () => rm(home, { recursive: true, force: true }),
  };
}

async function acquired(home: string, bag: string, keys: string) {
  await using scope = new AsyncDisposableStack();
  const signal = AbortSignal.timeout(START_MS_MAX);
  const lab = scope.use(await startCluster({ ...demoScenario(), cluster: 'lab' }, signal));
  const dataDir = join(home, 'data');
  const authority = await opensslAuthority({ after: (work) => scope.defer(work) });
  const tsa = join(home, 'tsa.pem');
  await writeFile(tsa, authority.root);
  const store = hasProgram('moto_server') ? await lockingStore(scope) : undefined;
  const environment = {
    LOG_KEYS: keys,
    POLICY: await witnessed(home, keys, scope),
    ...{ TSA_URL: authority.url.href, TSA_CERTIFICATES: authority.root, TSA_MINUTES: '1' },
    ...store?.environment,
  };
  const natsBinary = process.env['NATS_SERVER'];
  const platform = scope.use(await startPlatform({ dataDir, natsBinary, environment }, signal));
  const kubeconfig = join(home, 'kubeconfig');
  await writeFile(kubeconfig, lab.kubeconfig(DEMO_COLLECTOR), { mode: 0o600 });
  await addCluster(dataDir, 'lab', { kubeconfig });
  const why = ['--case', 'E2E-1', '--reason', 'strangers will check it'];
  const { url: IMPOUND_URL, token: IMPOUND_TOKEN } = platform;
  const reached = { IMPOUND_URL, IMPOUND_TOKEN };
  await onRecord(platform, 'stamped', scope);
  const done = await impound(['acquire', CONTAINER, ...why, '--json'], reached);
  assert.equal(done.code, 0, done.out + done.err);
  await onRecord(platform, 'stamped behind a seal', scope);
  const id = String(done.values.find(({ kind }) => kind === 'result')?.['acquisitionId']);
  const exported = await impound(['export', id, '--out', bag], reached);
  assert.equal(exported.code, 0, exported.out + exported.err);
  return { said: exported.out, tsa, versions: await store?.versions() };
}

const BUCKET = 'evidence';
const LOOK_MS = 250;

/** A bucket that keeps each version of an object, and lets nobody remove one before its time. */
async function lockingStore(scope: AsyncDisposableStack) {
  const endpoint = await motoServer(scope);
  const bucket = `${endpoint}/${BUCKET}`;
  const headers = { 'x-amz-bucket-object-lock-enabled': 'true' };
  const made = await fetch(bucket, { method: 'PUT', headers });
  assert.equal(made.status, 200, await made.text());
  return {
    environment: {
      STORE_URL: `s3://${BUCKET}/?endpoint=${endpoint}`,
      ...{ STORE_KEY: 'AKIAIOSFODNN7EXAMPLE:none', RETENTION_MODE: 'compliance' },
    },
    versions: async () => {
      const listed = await (await fetch(`${bucket}?versions`)).text();
      const versions = listed.matchAll(/<Version>.*?<Key>(.*?)<.*?<VersionId>(.*?)</gs);
      return new Map([...versions].map(([, key = '', version = '']) => [key, version]));
    },
  };
}

const ON_RECORD = {
  stamped: `select true from ledger_entry where type = 'checkpoint.stamped.v1'`,
  'stamped behind a seal': `select true from ledger_entry join ledger_anchor on idx < size
    where type = 'acquisition.sealed.v1'`,
};

/** Waits until the log has it. */
async function onRecord(
  { databaseUrl }: Platform,
  what: keyof typeof ON_RECORD,
  scope: AsyncDisposableStack,
): Promise<void> {
  const limit = AbortSignal.timeout(START_MS_MAX);
  const options = { connectionsMax: 1, name: 'test' };
  const sql = openDatabase(new Secret(databaseUrl), options, scope);
  while ((await sql.unsafe(ON_RECORD[what])).length === 0) {
    limit.throwIfAborted();
    await wait(LOOK_MS, limit);
  }
}

/** Two witnesses, one for each name of the log; gives the policy that asks for the second. */
async function witnessed(home: string, keys: string, scope: AsyncDisposableStack): Promise<string> {
  const { own, sigsum } = headSigners(readLogKeys(keys));
  const [named, keyed] = [join(home, 'w1'), join(home, 'w2')];
  const one = parseVkey(await initWitness(named, 'witness.example.net/1'));
  const { key } = parseVkey(await initWitness(keyed, 'witness.example.net/2'));
  const other = sigsumWitnessVkey(key);
  const open = async (folder: string, { name }: Vkey, log: Vkey) => {
    const config = {
      ...{ HOST: '127.0.0.1', PORT: 0, HEALTH_PORT: 0, LOG_LEVEL: 'silent' as const },
      ...{ WITNESS_NAME: name, STATE_FILE: join(folder, 'state.json'), LOGS: formatVkey(log) },
      WITNESS_KEY: new Secret(await readFile(join(folder, 'key.pem'), 'utf8')),
    };
    const { port } = await openWitness(config, openLog('witness', 'silent'), scope);
    return `http://127.0.0.1:${port}`;
  };
  return [
    `witness one ${formatVkey(one)} ${await open(named, one, own.vkey)}`,
    `witness other ${key.toString('hex')} ${await open(keyed, other, sigsum.vkey)}`,
    // What sigsum verifies must have been signed by who looks at that name of the log.
    'quorum other\n',
  ].join('\n');
}
