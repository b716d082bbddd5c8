// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '@impound/runtime/embedded/ports.ts';

const START_MS_MAX = 60_000;
const STOP_MS_MAX = 5_000;
const RADOS_STARTS_MAX = 3;

/** Whether a program is there; a test that needs it is skipped, visibly, where it is not. */
export function hasProgram(name: string): boolean {
  return spawnSync('sh', ['-c', 'command -v "$0"', name], { stdio: 'ignore' }).status === 0;
}

/** A directory that goes with the scope. */
async function scratch(scope: AsyncDisposableStack): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'impound-server-'));
  scope.defer(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Runs a server until the scope ends. */
function serve(file: string, args: readonly string[], scope: AsyncDisposableStack): ChildProcess {
  const { child, stop } = begin(file, args);
  scope.defer(stop);
  return child;
}

interface Begun {
  readonly child: ChildProcess;
  stop(by?: 'SIGKILL'): Promise<void>;
}

function begin(file: string, args: readonly string[]): Begun {
  const child = spawn(file, args, { stdio: 'ignore' });
  const ended = new Promise((resolve) => {
    child.once('exit', resolve);
    child.once('error', resolve);
  });
  const stop = async (by: NodeJS.Signals = 'SIGTERM') => {
    child.kill(by);
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
    await ended;
    clearTimeout(late);
  };
  return { child, stop };
}

async function answering(url: string, child: ChildProcess): Promise<void> {
  const until = Date.now() + START_MS_MAX;
  for (;;) {
    const answer = await fetch(url).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer !== undefined) return;
    if (child.exitCode !== null) throw new Error(`the server ended with code ${child.exitCode}`);
    if (Date.now() > until) throw new Error(`no answer within ${START_MS_MAX} ms`);
    await delay(100);
  }
}

/** moto: knows Object Lock and writes once, and believes every signature. */
export async function motoServer(scope: AsyncDisposableStack): Promise<string> {
  const port = await freePort();
  const child = serve('moto_server', ['-H', '127.0.0.1', '-p', String(port)], scope);
  await answering(`http://127.0.0.1:${port}`, child);
  return `http://127.0.0.1:${port}`;
}

export const RADOS_PROGRAMS = [
  'radosgw',
  'radosgw-admin',
  'ceph',
  'ceph-mon',
  'ceph-osd',
  'monmaptool',
];

type Key = { readonly id: string; readonly secret: string };

/** Ceph's S3, of which the gateway can be taken away while what it stored stays. */
export interface Rados {
  readonly url: string;
  /** Kills the gateway, as the kernel does it when memory ends. */
  kill(): Promise<void>;
  /** Starts it again, at the same place. */
  start(): Promise<void>;
  /** Lets the key do nothing, and everything again. */
  suspend(): Promise<void>;
  enable(): Promise<void>;
}

/** The same, where nothing is taken away. */
export async function radosServer(key: Key, scope: AsyncDisposableStack): Promise<string> {
  return (await radosCluster(key, scope)).url;
}

/**
 * Ceph's S3 on one monitor and one disk in memory: verifies signatures, knows Object Lock. It has
 * several tries, since a port that was free may be somebody's when its server starts.
 */
export async function radosCluster(key: Key, scope: AsyncDisposableStack): Promise<Rados> {
  for (let start = 1; ; start++) {
    await using attempt = new AsyncDisposableStack();
    const root = await scratch(attempt);
    try {
      const rados = await startRados(root, key, attempt);
      scope.use(attempt.move());
      return rados;
    } catch (error) {
      const said = await lastWords(root);
      if (start === RADOS_STARTS_MAX) throw new Error(`no radosgw: ${said}`, { cause: error });
      process.stderr.write(`radosgw did not start, once more: ${error}\n${said}\n`);
    }
  }
}

async function startRados(root: string, key: Key, scope: AsyncDisposableStack): Promise<Rados> {
  const [port, monitor] = [await freePort(), await freePort()];
  const [cluster, disk] = [randomUUID(), randomUUID()];
  for (const name of ['mon', 'osd', 'log', 'run']) await mkdir(join(root, name));
  await writeFile(join(root, 'ceph.conf'), cephConfig({ root, cluster, monitor, port }));
  const conf = ['-c', join(root, 'ceph.conf')];
  const map = join(root, 'monmap');
  const address = `[v1:127.0.0.1:${monitor}]`;
  await tool('monmaptool', ['--create', '--addv', 'a', address, '--fsid', cluster, map]);
  await tool('ceph-mon', [...conf, '--mkfs', '-i', 'a', '--monmap', map]);
  serve('ceph-mon', [...conf, '-i', 'a', '-f'], scope);
  await tool('ceph', [...conf, 'osd', 'new', disk]);
  await tool('ceph-osd', [...conf, '-i', '0', '--mkfs', '--osd-uuid', disk]);
  await serveDisk(conf, scope);
  const url = `http://127.0.0.1:${port}`;
  const command = [...conf, '-n', 'client.rgw', '--no-mon-config', '-f'];
  let gateway = begin('radosgw', command);
  scope.defer(() => gateway.stop());
  await answering(url, gateway.child);
  const user = async (...args: readonly string[]) =>
    void (await tool('radosgw-admin', [...conf, '--no-mon-config', 'user', ...args]));
  const access = ['--access-key', key.id, '--secret', key.secret];
  await user('create', '--uid', 'evidence', '--display-name', 'evidence', ...access);
  return {
    url,
    kill: () => gateway.stop('SIGKILL'),
    start: async () => {
      gateway = begin('radosgw', command);
      await answering(url, gateway.child);
    },
    suspend: () => user('suspend', '--uid', 'evidence'),
    enable: () => user('enable', '--uid', 'evidence'),
  };
}

/** A disk may be told of a wrong cluster by a monitor that has just begun, and gives up then. */
async function serveDisk(conf: readonly string[], scope: AsyncDisposableStack): Promise<void> {
  const until = Date.now() + START_MS_MAX;
  let disk = serve('ceph-osd', [...conf, '-i', '0', '-f'], scope);
  while (!/"num_up_osds": *1/.test(await tool('ceph', [...conf, 'osd', 'stat', '-f', 'json']))) {
    if (Date.now() > until) throw new Error(`the disk is not up within ${START_MS_MAX} ms`);
    if (disk.exitCode !== null) disk = serve('ceph-osd', [...conf, '-i', '0', '-f'], scope);
  }
}

async function tool(file: string, args: readonly string[]): Promise<string> {
  const options = { timeout: START_MS_MAX, killSignal: 'SIGKILL' } as const;
  return (await promisify(execFile)(file, args, options)).stdout;
}

/** The ends of the logs of a cluster that did not start. */
async function lastWords(root: string): Promise<string> {
  const names = ['ceph-mon.a', 'ceph-osd.0', 'ceph-client.rgw'];
  const ends = names.map(async (name) => {
    const text = await readFile(join(root, 'log', `${name}.log`), 'utf8').catch(() => '');
    return `${name}: ${text.split('\n').slice(-6).join(' | ')}`;
  });
  return (await Promise.all(ends)).join('\n');
}

function cephConfig(of: {
  readonly root: string;
  readonly cluster: string;
  readonly monitor: number;
  readonly port: number;
}): string {
  return [
    '[global]',
    `fsid = ${of.cluster}`,
    `mon_host = v1:127.0.0.1:${of.monitor}`,
    'public_addr = 127.0.0.1',
    'cluster_addr = 127.0.0.1',
    'auth_cluster_required = none',
    'auth_service_required = none',
    'auth_client_required = none',
    `run_dir = ${of.root}/run`,
    `admin_socket = ${of.root}/run/$cluster-$name.asok`,
    `log_file = ${of.root}/log/$cluster-$name.log`,
    'ms_bind_msgr2 = false',
    'mon_data_avail_crit = 1',
    'mon_allow_pool_size_one = true',
    'mon_max_pg_per_osd = 1000',
    'osd_pool_default_size = 1',
    'osd_pool_default_min_size = 1',
    'osd_pool_default_pg_num = 1',
    'osd_pool_default_pg_autoscale_mode = off',
    'osd_crush_chooseleaf_type = 0',
    'osd_objectstore = memstore',
    'memstore_device_bytes = 2147483648',
    `rgw_frontends = beast endpoint=127.0.0.1:${of.port}`,
    'rgw_run_sync_thread = false',
    '[mon.a]',
    `mon_data = ${of.root}/mon`,
    '[osd.0]',
    `osd_data = ${of.root}/osd`,
    '',
  ].join('\n');
}

const AZURITE = new URL(import.meta.resolve('azurite/package.json'));

/** Azurite in memory: checks shared keys and SAS. */
export async function azuriteServer(
  account: { readonly name: string; readonly key: string },
  scope: AsyncDisposableStack,
): Promise<string> {
  const program = new URL('dist/src/blob/main.js', AZURITE);
  if (!existsSync(program)) throw new Error('azurite has another layout than expected');
  const port = await freePort();
  const root = await scratch(scope);
  const child = spawn(
    process.execPath,
    [
      program.pathname,
      '--blobPort',
      String(port),
      '--silent',
      '--location',
      root,
      '--disableTelemetry',
      // The SDK is newer than the server.
      '--skipApiVersionCheck',
    ],
    {
      stdio: 'ignore',
      env: { ...process.env, AZURITE_ACCOUNTS: `${account.name}:${account.key}` },
    },
  );
  scope.defer(async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    if (child.kill('SIGKILL')) await ended;
  });
  await answering(`http://127.0.0.1:${port}`, child);
  return `http://127.0.0.1:${port}`;
}
