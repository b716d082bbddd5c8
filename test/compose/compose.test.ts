// SPDX-License-Identifier: Apache-2.0
// docker-compose.yml for real: built, started, used, killed, taken down and brought up again.
import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DEMO_TARGET } from '@impound/lab/scenarios.ts';
import { freePort } from '@impound/runtime/embedded/ports.ts';
import { type Client, openClient } from '../../cli/src/client.ts';
import { impound, result } from '../../cli/test/command-line.ts';
import { assertSealedOnce, type Chain, chainOf, story } from '../end-to-end/chain.ts';
import {
  builtServices,
  type Composed,
  fillVolume,
  keepVolume,
  openComposed,
  output,
} from './docker.ts';
import { type Host, openHost } from './host.ts';

const scope = new AsyncDisposableStack();
const TARGET = `kubernetes://demo/shop/${DEMO_TARGET.pod}/cart`;
const WHY = ['--case', 'IR-1', '--reason', 'a shell in a web server'];
/** Those that run on; the others do their work and end. */
const LASTING = builtServices().filter((name) => name !== 'migrate' && name !== 'doctor');
/** Where the executor of the file keeps what is not on record yet. */
const SPOOL = '/var/lib/impound/spool/executor-kubernetes';
const signal = new AbortController().signal;

let host: Host;
let it: Composed;
let at: readonly string[];
let client: Client;
/** The first acquisition, as it was recorded. */
let first: { readonly id: string; readonly texts: readonly string[] };

before(async () => {
  host = scope.use(await openHost());
  const directory = join(host.folder, 'deployment');
  const { collector, reader } = host.kubeconfig;
  const cluster = ['--cluster', 'demo', '--kubeconfig', collector, '--reader', reader];
  const made = await impound(['init', directory, ...cluster]);
  assert.equal(made.code, 0, made.err);
  const port = await freePort();
  const project = `impound-test-${process.pid}`;
  it = scope.use(await openComposed({ directory, project, port, hostAddress: host.address }));
  await timed('build', () => it.compose('--profile', 'doctor', 'build', '--quiet'));
  await timed('up, all healthy', () => it.compose('up', '--detach', '--wait', '--no-build'));
  const url = `http://127.0.0.1:${port}`;
  at = ['--url', url, '--token-file', join(directory, 'token')];
  const token = await readFile(join(directory, 'token'), 'utf8');
  client = openClient({ url, token }, signal);
});

after(() => scope.disposeAsync());

async function timed(what: string, work: () => Promise<void>): Promise<void> {
  const startedAt = performance.now();
  await work();
  process.stdout.write(`# ${what}: ${((performance.now() - startedAt) / 1_000).toFixed(1)} s\n`);
}

async function acquire(...more: readonly string[]): Promise<string> {
  const done = await impound(['acquire', TARGET, ...WHY, ...at, '--json', ...more]);
  assert.equal(done.code, 0, done.err + done.out);
  return String(result(done)['acquisitionId']);
}

async function untilEnded(id: string): Promise<Chain> {
  for await (const _ of client.follow(id));
  return await chainOf(client, id);
}

/** Custody goes on behind the seal: what was handed out since then stands after it. */
async function assertStands(): Promise<void> {
  const { texts } = await chainOf(client, first.id);
  assert.deepEqual(texts.slice(0, first.texts.length), first.texts);
}

test('an acquisition is sealed, and its bag verifies', async () => {
  const bag = join(host.folder, 'bag');
  const id = await acquire('--out', bag);
  assert.equal((await impound(['verify', bag])).code, 0);
  const chain = await chainOf(client, id);
  assertSealedOnce(chain);
  first = { id, texts: chain.texts };
});

test('every service is killed in the middle of an acquisition, and it ends sealed', async () => {
  const { acquisitionId } = await client.post('/v1/acquisitions', {
    target: TARGET,
    caseId: 'IR-2',
    reason: 'killed in the middle',
  });
  await it.compose('kill', ...LASTING, 'nats', 'postgres');
  await timed('up after a kill', () => it.compose('up', '--detach', '--wait', '--no-build'));
  const chain = await untilEnded(acquisitionId);
  assert.equal(chain.types.at(-1), 'acquisition.sealed.v1', story(chain));
  await assertStands();
});

test('a process that dies is started again by its container', async () => {
  for (const service of [...LASTING, 'nats', 'postgres']) {
    const [pid, starts] = await Promise.all([
      it.inspect(service, '{{.State.Pid}}'),
      it.inspect(service, '{{.RestartCount}}'),
    ]);
    process.kill(Number(pid), 'SIGKILL');
    for (let now = starts; now === starts; ) now = await it.inspect(service, '{{.RestartCount}}');
  }
  await it.compose('up', '--detach', '--wait', '--no-build');
  await acquire();
  await assertStands();
});

test('what an executor did while the ledger was away outlives its container', async () => {
  const [goOn, reached] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  host.lab.inject({
    ...{ kind: 'pause', afterBytes: 4_096, path: /\/exec/, times: 1 },
    ...{ reached: reached.resolve, until: goOn.promise },
  });
  const order = { target: TARGET, caseId: 'IR-3', reason: 'spool', methods: ['exec-stream'] };
  const { acquisitionId } = await client.post('/v1/acquisitions', order);
  await reached.promise;
  await it.compose('kill', 'ledger');
  goOn.resolve();
  const list = `console.log(require('node:fs').readdirSync('${SPOOL}').join())`;
  const kept = () => it.ask('exec', '-T', 'executor-kubernetes', 'node', '-e', list);
  while (!(await kept()).endsWith('.json'));
  await it.compose('kill', 'executor-kubernetes');
  await it.compose('rm', '--force', 'executor-kubernetes');
  await it.compose('up', '--detach', '--no-build', '--no-deps', 'executor-kubernetes');
  await it.compose('up', '--detach', '--wait', '--no-build');
  // One claim: what was collected counts, and nothing was collected a second time.
  assertSealedOnce(await untilEnded(acquisitionId));
  assert.equal(await kept(), '');
});

test('down and up again with the volumes kept: the same chain, and new ones', async () => {
  await it.compose('down');
  await timed('up again', () => it.compose('up', '--detach', '--wait', '--no-build'));
  await assertStands();
  await acquire();
  const bag = join(host.folder, 'bag-again');
  const exported = await impound(['export', first.id, '--out', bag, ...at]);
  assert.equal(exported.code, 0, exported.err);
  assert.equal((await impound(['verify', bag])).code, 0);
});

test('a password is rotated: the old one is worth nothing, and the ledger goes on', async () => {
  const file = join(host.folder, 'deployment', 'secrets', 'writer-password');
  const before = await readFile(file, 'utf8');
  await rm(file);
  assert.equal((await impound(['init', join(host.folder, 'deployment')])).code, 0);
  assert.notEqual(await readFile(file, 'utf8'), before);
  await it.compose('run', '--rm', '--no-deps', 'migrate');
  const anew = ['up', '--detach', '--wait', '--no-build', '--no-deps', '--force-recreate'];
  await it.compose(...anew, 'ledger');
  await assertStands();
  await acquire();
});

test('all is lost but the backup, and comes back with it', async () => {
  const [dump, evidence] = [join(host.folder, 'impound.dump'), join(host.folder, 'evidence.tar')];
  const volume = `${it.project}_evidence`;
  await it.pipe(['exec', '-T', 'postgres', 'pg_dump', '-U', 'postgres', '-Fc', 'impound'], {
    to: dump,
  });
  await keepVolume(volume, evidence);
  await it.compose('down', '--volumes');
  await it.compose('up', '--detach', '--wait', '--no-build', 'postgres');
  await it.compose('run', '--rm', '--no-deps', 'migrate');
  const restore = ['pg_restore', '-U', 'postgres', '-d', 'impound', '--clean', '--if-exists'];
  await it.pipe(['exec', '-T', 'postgres', ...restore], { from: dump });
  await it.compose('run', '--rm', '--no-deps', 'volumes');
  await fillVolume(volume, evidence);
  await timed('up from a backup', () => it.compose('up', '--detach', '--wait', '--no-build'));
  await assertStands();
  const bag = join(host.folder, 'bag-restored');
  const exported = await impound(['export', first.id, '--out', bag, ...at]);
  assert.equal(exported.code, 0, exported.err);
  assert.equal((await impound(['verify', bag])).code, 0);
  await acquire();
});

test('no container has a right of the kernel, a way to new ones, or a file system to write', async () => {
  for (const service of LASTING) {
    const { HostConfig, Config } = JSON.parse(await it.inspect(service, '{{json .}}'));
    assert.deepEqual(HostConfig.CapDrop, ['ALL'], service);
    assert.equal(HostConfig.CapAdd, null, service);
    assert.equal(HostConfig.ReadonlyRootfs, true, service);
    assert.deepEqual(HostConfig.SecurityOpt, ['no-new-privileges:true'], service);
    assert.match(Config.User, /^[1-9]\d*:[1-9]\d*$/, service);
    assert.ok(HostConfig.Memory > 0 && HostConfig.PidsLimit > 0, service);
    assert.doesNotMatch(JSON.stringify(Config.Env), /postgres:\/\/|PASSWORD=|KEY=[^/]/, service);
  }
});

test('only the gateway is published, on loopback', async () => {
  const rows = await it.ask('ps', '--format', '{{.Service}} {{.Ports}}');
  const published = rows.split('\n').filter((row) => row.includes('->'));
  assert.equal(published.length, 1, rows);
  assert.match(published[0] ?? '', /^gateway 127\.0\.0\.1:\d+->8080\/tcp$/);
});

const REACHED: readonly (readonly [string, string, number, boolean])[] = [
  ['ledger', 'postgres', 5432, true],
  ['ledger', 'nats', 4222, true],
  ['executor-kubernetes', 'postgres', 5432, false],
  ['executor-kubernetes', 'uploader', 8081, true],
  ['gateway', 'postgres', 5432, false],
  ['coordinator', 'postgres', 5432, false],
  ['uploader', 'postgres', 5432, false],
];
/** The command of the file, and --json. */
const DOCTOR = ['src/main.ts', 'doctor', '--env', '-', '--json'];

const CONNECT = `
  const [host, port] = process.argv.slice(1);
  const socket = require('node:net').connect(Number(port), host);
  socket.setTimeout(3_000, () => socket.destroy(new Error('timeout')));
  socket.once('connect', () => { console.log('reached'); socket.destroy(); });
  socket.once('error', (error) => console.log(error.code ?? error.message));`;

for (const [from, host, port, reaches] of REACHED) {
  test(`${from} ${reaches ? 'reaches' : 'does not reach'} ${host}:${port}`, async () => {
    const said = await it.ask('exec', '-T', from, 'node', '-e', CONNECT, host, String(port));
    assert.equal(said === 'reached', reaches, said);
  });
}

test('who needs no way out has none: not even into the networks that lead out', async () => {
  const network = `"${it.project}_clusters"`;
  const format = `{{(index .NetworkSettings.Networks ${network}).IPAddress}}`;
  const reach = ['node', '-e', CONNECT, await it.inspect('discovery', format), '8079'];
  assert.equal(await it.ask('exec', '-T', 'rbac-checker', ...reach), 'reached');
  for (const from of ['ledger', 'coordinator', 'uploader']) {
    assert.notEqual(await it.ask('exec', '-T', from, ...reach), 'reached', from);
  }
});

test('doctor finds the deployment well, and says what it would have otherwise', async () => {
  const said = await it.ask('run', '--rm', '--no-deps', '-T', 'doctor', ...DOCTOR);
  const told = said.split('\n').map((line) => JSON.parse(line));
  const ill = told.filter(({ verdict }) => verdict === 'sick' || verdict === 'unknown');
  assert.deepEqual(ill, []);
  assert.equal(told.at(-1).exitCode, 0);
  const looked = new Set(told.map(({ check }) => check));
  for (const check of ['nats-durability', 'ledger-guards', 'cluster-rights', 'secret-files']) {
    assert.ok(looked.has(check), check);
  }
  process.stdout.write(`# doctor: ${JSON.stringify(told.at(-1))}\n`);
});

test('a program cannot change itself, nor leave anything behind', async () => {
  const write = `require('node:fs').writeFileSync(process.argv[1], 'x')`;
  for (const path of ['/impound/x', '/impound/services/ledger/src/main.ts', '/etc/x', '/x']) {
    const tried = it.ask('exec', '-T', 'ledger', 'node', '-e', write, path);
    await assert.rejects(tried, /EROFS|EACCES/);
  }
});

test('no image tells a secret, and each holds production dependencies only', async () => {
  const secrets = join(host.folder, 'deployment', 'secrets');
  const password = await readFile(join(secrets, 'writer-password'), 'utf8');
  const images = (await it.ask('config', '--images')).split('\n');
  for (const image of new Set(images.filter((name) => name.startsWith('impound-test/')))) {
    const told = await output('docker', ['history', '--no-trunc', image]);
    const config = await output('docker', ['image', 'inspect', image]);
    assert.ok(!(told + config).includes(password), image);
    assert.doesNotMatch(told + config, /NPM_CONFIG_REGISTRY=/, image);
    const list = `console.log(require('node:fs').readdirSync('/impound/node_modules').join())`;
    const run = ['run', '--rm', '--network', 'none', '--entrypoint', 'node', image, '-e', list];
    assert.doesNotMatch(await output('docker', run), /typescript|biome|knip|fast-check/, image);
  }
});

test('what it takes', async () => {
  const images = await output('docker', ['images', '--format', '{{.Repository}} {{.Size}}']);
  // A witness is no part of the platform, and its image may be there or not.
  const rows = images.split('\n').filter((row) => /^impound-test\/(?!witness )/.test(row));
  const ids = (await it.ask('ps', '--quiet')).split('\n');
  const format = '{{.Name}} {{.MemUsage}}';
  const stats = await output('docker', ['stats', '--no-stream', '--format', format, ...ids]);
  for (const row of [...rows, ...stats.split('\n')]) process.stdout.write(`# ${row}\n`);
  assert.equal(rows.length, LASTING.length + 1, images);
});
