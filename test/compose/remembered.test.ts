// SPDX-License-Identifier: Apache-2.0
// Who remembers the log outside of its database, as docs/witnesses.md tells operators to name them:
// a witness of deploy/witness.yml, a mirror in a bucket and an authority of time.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFile, chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openBucket } from '@impound/bucket/s3-bucket.ts';
import { readStoreUrl } from '@impound/bucket/store-url.ts';
import { hasProgram, RADOS_PROGRAMS, radosServer } from '@impound/bucket/testing/store-servers.ts';
import { LedgerCheckpointV1 } from '@impound/contracts/ask/ledger.checkpoint.v1.ts';
import { DEMO_TARGET } from '@impound/lab/scenarios.ts';
import { freePort } from '@impound/runtime/embedded/ports.ts';
import { opensslAuthority } from '@impound/timestamp/testing/openssl-authority.ts';
import { type Client, openClient } from '../../cli/src/client.ts';
import { impound, result } from '../../cli/test/command-line.ts';
import { type Composed, openComposed, openWitness, output } from './docker.ts';
import { type Host, openHost } from './host.ts';

const scope = new AsyncDisposableStack();
const TARGET = `kubernetes://demo/shop/${DEMO_TARGET.pod}/cart`;
const WHY = ['--case', 'IR-1', '--reason', 'a shell in a web server'];
const NAME = 'witness.example.net/1';
const KEY = { id: 'AKIAIOSFODNN7EXAMPLE', secret: 'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY' };
/** As whom the containers run where root has made their directories. */
const ACCOUNT = 10_001;
const signal = new AbortController().signal;
/** The command of the file, and --json. */
const DOCTOR = ['src/main.ts', 'doctor', '--env', '-', '--json'];

let host: Host;
let directory: string;
let it: Composed;
let witness: Composed;
let witnessPort: number;
let at: readonly string[];
let client: Client;
/** How a mirror in a directory or a bucket is named on this machine. */
let mirror: { readonly url: string; readonly environment: Record<string, string> };

before(async () => {
  host = scope.use(await openHost());
  directory = join(host.folder, 'deployment');
  const { collector, reader } = host.kubeconfig;
  const cluster = ['--cluster', 'demo', '--kubeconfig', collector, '--reader', reader];
  const made = await impound(['init', directory, ...cluster]);
  assert.equal(made.code, 0, made.err);
  const port = await freePort();
  const project = `impound-remembered-${process.pid}`;
  it = scope.use(await openComposed({ directory, project, port, hostAddress: host.address }));
  await it.compose('--profile', 'doctor', 'build', '--quiet');
  await it.compose('up', '--detach', '--wait', '--no-build');
  const url = `http://127.0.0.1:${port}`;
  at = ['--url', url, '--token-file', join(directory, 'token')];
  const token = await readFile(join(directory, 'token'), 'utf8');
  client = openClient({ url, token }, signal);
});

after(() => scope.disposeAsync());

const logOf = async () => LedgerCheckpointV1.reply.parse(await client.get('/v1/log'));

/** Collects once and gives the bag's directory. */
async function bagOf(name: string): Promise<string> {
  const bag = join(host.folder, name);
  const done = await impound(['acquire', TARGET, ...WHY, ...at, '--json', '--out', bag]);
  assert.equal(done.code, 0, done.err + done.out);
  assert.ok(result(done)['acquisitionId']);
  return bag;
}

/** Files that name whom an auditor trusts: not taken from the bag that is looked at. */
const trust = () => [
  '--vkey',
  join(host.folder, 'vkey'),
  '--policy',
  join(directory, 'ledger/policy'),
];

test('a witness is made by deploy/witness.yml, and is told which log it looks at', async () => {
  const home = join(host.folder, 'witness');
  await mkdir(home, { mode: 0o700 });
  await chown(home, ACCOUNT, ACCOUNT);
  witnessPort = await freePort();
  const terms = { directory: host.folder, port: witnessPort, hostAddress: host.address };
  const project = `impound-witness-${process.pid}`;
  witness = scope.use(await openWitness({ ...terms, project, name: NAME, home }));
  await witness.compose('build', '--quiet');
  const init = ['src/main.ts', 'init', '/var/lib/witness', NAME];
  const vkey = await witness.ask('run', '--rm', '--no-deps', '-T', 'witness', ...init);
  assert.match(vkey, /^witness\.example\.net\/1\+[0-9a-f]{8}\+\S+$/);
  const { keys } = await logOf();
  await writeFile(join(home, 'logs'), `${keys.own}\n`);
  await writeFile(join(host.folder, 'vkey'), keys.own);
  await witness.compose('up', '--detach', '--wait', '--no-build');
  const url = `http://${host.address}:${await host.door(witnessPort)}`;
  await writeFile(join(directory, 'ledger', 'policy'), `witness a ${vkey} ${url}\nquorum a\n`);
});

test('a mirror and an authority of time are named beside it, and the ledger goes on', async () => {
  const more = ['WITNESSES_NETWORK=outside', `MIRROR_URL=${await mirrorHere()}`];
  const authority = await opensslAuthority({ after: (work) => void scope.defer(work) });
  const port = await host.door(Number(authority.url.port));
  more.push(`TSA_URL=http://${host.address}:${port}/`, 'TSA_MINUTES=1');
  await writeFile(join(directory, 'ledger', 'tsa.pem'), authority.root);
  await appendFile(join(directory, 'compose.env'), `${more.join('\n')}\n`);
  await it.compose('up', '--detach', '--wait', '--no-build', '--force-recreate', 'ledger');
});

/** Gives the address of a mirror as the ledger's container reaches it. */
async function mirrorHere(): Promise<string> {
  assert.ok(RADOS_PROGRAMS.every(hasProgram), 'no bucket to mirror to: radosgw is not installed');
  const endpoint = await radosServer(KEY, scope);
  const url = `s3://mirror/log?endpoint=${endpoint}`;
  const place = readStoreUrl(url);
  assert.ok(typeof place !== 'string' && place.kind === 's3');
  const credentials = { accessKeyId: KEY.id, secretAccessKey: KEY.secret };
  const { sdk, client: s3 } = await openBucket(place, credentials, scope);
  await s3.send(new sdk.CreateBucketCommand({ Bucket: place.bucket }));
  const key = `${KEY.id}:${KEY.secret}`;
  await writeFile(join(directory, 'secrets', 'mirror-key'), key);
  mirror = { url, environment: { MIRROR_KEY: key } };
  const port = await host.door(Number(new URL(endpoint).port));
  return `s3://mirror/log?endpoint=http://${host.address}:${port}`;
}

test('the witness has signed what a bag is made under, and remembers it by itself', async () => {
  const bag = await bagOf('bag');
  const verified = await impound(['verify', bag, ...trust()]);
  assert.equal(verified.code, 0, verified.out + verified.err);
  const note = await readFile(join(bag, 'custody', 'checkpoint'), 'utf8');
  assert.match(note, new RegExp(`^— ${NAME} `, 'm'));
  const [origin = '', size = ''] = note.split('\n');
  const name = createHash('sha256').update(origin).digest('hex');
  const answer = await fetch(`http://127.0.0.1:${witnessPort}/${name}/checkpoint`);
  const [, remembered = ''] = (await answer.text()).split('\n');
  assert.ok(BigInt(remembered) >= BigInt(size), `${remembered} of ${size}`);
});

test('the mirror holds the log, which fits without its database', async () => {
  const args = ['ledger', 'fsck', '--mirror', mirror.url, ...trust()];
  const looked = await impound(args, mirror.environment);
  assert.equal(looked.code, 0, looked.out + looked.err);
  process.stdout.write(`# ${looked.out.trim().replaceAll('\n', '\n# ')}\n`);
});

test('doctor finds all three at work', async () => {
  const looks = async () => {
    const said = await it.ask('run', '--rm', '--no-deps', '-T', 'doctor', ...DOCTOR);
    const told = said.split('\n').map((line) => JSON.parse(line));
    const outside = told.filter(({ check }) => /^log-(witness|mirror|time)$/.test(check));
    return { told, verdicts: outside.map(({ check, verdict }) => `${check} ${verdict}`) };
  };
  const { told, verdicts } = await looks();
  assert.deepEqual(verdicts.toSorted(), ['log-mirror ok', 'log-time ok', 'log-witness ok']);
  const ill = told.filter(({ verdict }) => verdict === 'sick' || verdict === 'unknown');
  assert.deepEqual(ill, []);
});

test('a database that was set back is not written on, and is when all of it is back', async () => {
  const [older, newer] = [join(host.folder, 'older.dump'), join(host.folder, 'newer.dump')];
  const dump = ['exec', '-T', 'postgres', 'pg_dump', '-U', 'postgres', '-Fc', 'impound'];
  const restore = ['exec', '-T', 'postgres', 'pg_restore', '-U', 'postgres', '-d', 'impound'];
  await it.pipe(dump, { to: older });
  await bagOf('bag-lost');
  await it.compose('stop', 'gateway', 'ledger');
  // The bus would tell it, too: whoever sets the database back takes that away as well.
  await it.compose('rm', '--stop', '--force', 'nats', 'volumes');
  await output('docker', ['volume', 'rm', '--force', `${it.project}_bus`]);
  await it.pipe(dump, { to: newer });
  await it.pipe([...restore, '--clean', '--if-exists'], { from: older });
  const up = ['up', '--detach', '--wait', '--no-build'];
  await assert.rejects(it.compose(...up, 'ledger'));
  const told = await it.ask('logs', '--no-log-prefix', 'ledger');
  assert.match(told, /(?:mirror|witness)\S* knows \d+ leaves of this log, the database holds \d+/);
  await it.compose('stop', 'ledger');
  await it.pipe([...restore, '--clean', '--if-exists'], { from: newer });
  await it.compose(...up);
  await bagOf('bag-again');
});
