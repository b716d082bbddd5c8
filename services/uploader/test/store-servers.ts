// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const START_MS_MAX = 60_000;
const STOP_MS_MAX = 5_000;

/** Whether a program is there; a test that needs it is skipped, visibly, where it is not. */
export function hasProgram(name: string): boolean {
  return spawnSync('sh', ['-c', 'command -v "$0"', name], { stdio: 'ignore' }).status === 0;
}

/** A port that nobody has, as far as can be known. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A directory that goes with the scope. */
async function scratch(scope: AsyncDisposableStack): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'impound-server-'));
  scope.defer(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Runs a server until the scope ends. */
function serve(file: string, args: readonly string[], scope: AsyncDisposableStack): ChildProcess {
  const child = spawn(file, args, { stdio: 'ignore' });
  const ended = new Promise((resolve) => {
    child.once('exit', resolve);
    child.once('error', resolve);
  });
  scope.defer(async () => {
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
    await ended;
    clearTimeout(late);
  });
  return child;
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

/** Ceph's S3 on one monitor and one disk in memory: verifies signatures, knows Object Lock. */
export async function radosServer(
  key: { readonly id: string; readonly secret: string },
  scope: AsyncDisposableStack,
): Promise<string> {
  const root = await scratch(scope);
  const [port, monitor] = [await freePort(), await freePort()];
  const [cluster, disk] = [randomUUID(), randomUUID()];
  for (const name of ['mon', 'osd', 'log', 'run']) await mkdir(join(root, name));
  await writeFile(join(root, 'ceph.conf'), cephConfig({ root, cluster, monitor, port }));
  const conf = ['-c', join(root, 'ceph.conf')];
  const map = join(root, 'monmap');
  tool('monmaptool', [
    '--create',
    '--addv',
    'a',
    `[v1:127.0.0.1:${monitor}]`,
    '--fsid',
    cluster,
    map,
  ]);
  tool('ceph-mon', [...conf, '--mkfs', '-i', 'a', '--monmap', map]);
  serve('ceph-mon', [...conf, '-i', 'a', '-f'], scope);
  tool('ceph', [...conf, 'osd', 'new', disk]);
  tool('ceph-osd', [...conf, '-i', '0', '--mkfs', '--osd-uuid', disk]);
  serve('ceph-osd', [...conf, '-i', '0', '-f'], scope);
  const gateway = serve('radosgw', [...conf, '-n', 'client.rgw', '--no-mon-config', '-f'], scope);
  await answering(`http://127.0.0.1:${port}`, gateway);
  const user = ['user', 'create', '--uid', 'evidence', '--display-name', 'evidence'];
  const access = ['--access-key', key.id, '--secret', key.secret];
  tool('radosgw-admin', [...conf, '--no-mon-config', ...user, ...access]);
  return `http://127.0.0.1:${port}`;
}

function tool(file: string, args: readonly string[]): void {
  const options = { encoding: 'utf8', timeout: START_MS_MAX } as const;
  const { status, stderr } = spawnSync(file, args, options);
  if (status !== 0) throw new Error(`${file} ended with ${status}: ${stderr.slice(-500)}`);
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
    `log_file = ${of.root}/log/$name.log`,
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
