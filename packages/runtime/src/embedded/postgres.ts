// SPDX-License-Identifier: Apache-2.0
import { readFile, readlink, realpath, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Child, startChild, untilReady } from './child.ts';
import { freePort, HOST, retryWhile } from './ports.ts';
import { postgresBinaries } from './postgres-binaries.ts';
import {
  type Cluster,
  clusterOwner,
  openCluster,
  SERVER_ENV,
  SUPERUSER,
} from './postgres-cluster.ts';

const STOP_MS_MAX = 20_000;
/** The line of postmaster.pid that says how far the start is (src/include/utils/pidfile.h). */
const STATUS_LINE = 7;
const PORT_TAKEN = 'could not bind';
const LOCKED = /lock file .* already exists|pre-existing shared memory block/;

/** What a Postgres of one's own needs. */
export interface PostgresOptions {
  /** Holds the cluster and its secret; made when missing, opened as it is otherwise. */
  readonly dataDir: string;
  /** Given: this port of 127.0.0.1, waited for when taken. Left out: a free one. */
  readonly port?: number | undefined;
}

/** A real PostgreSQL, durable as in production, that runs beside this process. */
export interface PostgresServer extends AsyncDisposable {
  /** Where a role (the superuser `postgres` when left out) connects; it contains the password. */
  url(database: string, role?: string): string;
  /** The password `url` uses for this role: give it to CREATE ROLE. Fixed per cluster and role. */
  password(role: string): string;
  readonly port: number;
  readonly version: string;
  /** Fast shutdown: clients are cut off, what they committed is on disk. */
  stop(): Promise<void>;
  /** Ends all its processes as a power cut would; the next start recovers. */
  kill(): Promise<void>;
}

/**
 * Starts PostgreSQL on 127.0.0.1 with SCRAM passwords and no Unix socket, and waits until it takes
 * connections. A lock that a killed predecessor left is waited out. Throws with PostgreSQL's own
 * words when it does not come up, and with the reason of `signal`; nothing runs then.
 */
export async function startPostgres(
  options: PostgresOptions,
  signal: AbortSignal,
): Promise<PostgresServer> {
  const { postgres, initdb, version } = await postgresBinaries(clusterOwner());
  const cluster = await openCluster({ dataDir: resolve(options.dataDir), initdb }, signal);
  const start = async () => {
    const port = options.port ?? (await freePort());
    const child = await launch({ postgres, cluster, port }, signal);
    return server({ child, cluster, port, version });
  };
  return await retryWhile((error) => passes(error, cluster), start, signal);
}

async function launch(
  { postgres, cluster, port }: { postgres: string; cluster: Cluster; port: number },
  signal: AbortSignal,
): Promise<Child> {
  const { folder, owner, dataArg } = cluster;
  const args = ['-D', dataArg, ...settings(port)];
  const child = await startChild(
    { file: postgres, args, cwd: folder, owner, env: SERVER_ENV, deathSignal: 'INT' },
    signal,
  );
  try {
    await untilReady(child, () => isReady(folder, child.pid), signal);
    return child;
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(`PostgreSQL did not start in ${folder}: ${message(error)}`, { cause: error });
  }
}

function settings(port: number): string[] {
  return [
    `listen_addresses=${HOST}`,
    `port=${port}`,
    'unix_socket_directories=',
    'fsync=on',
    'synchronous_commit=on',
    'full_page_writes=on',
    'logging_collector=off',
    'log_destination=stderr',
  ].flatMap((setting) => ['-c', setting]);
}

function server(parts: {
  child: Child;
  cluster: Cluster;
  port: number;
  version: string;
}): PostgresServer {
  const { child, cluster, port, version } = parts;
  const stop = () => child.end('SIGINT', STOP_MS_MAX);
  return {
    url: (database, role = SUPERUSER) => {
      const who = `${encodeURIComponent(role)}:${cluster.password(role)}`;
      return `postgres://${who}@${HOST}:${port}/${encodeURIComponent(database)}`;
    },
    password: cluster.password,
    port,
    version,
    stop,
    kill: () => killAll(child),
    [Symbol.asyncDispose]: stop,
  };
}

/**
 * Ends the server and all that it has started at once: whoever waits for a lock of a process that
 * was killed does not see that the server is gone, and holds its memory and its output for ever.
 */
async function killAll(child: Child): Promise<void> {
  // A server that stands still starts nobody and cleans up after nobody.
  if (child.running()) kill(child.pid, 'SIGSTOP');
  const started = `/proc/${child.pid}/task/${child.pid}/children`;
  const pids = (await readFile(started, 'utf8').catch(() => '')).split(' ').filter(Boolean);
  const ended = child.end('SIGKILL', 0);
  for (const pid of pids) kill(Number(pid), 'SIGKILL');
  await ended;
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}

async function isReady(folder: string, pid: number): Promise<true | undefined> {
  const lines = await pidFile(folder);
  return Number(lines[0]) === pid && lines[STATUS_LINE]?.trim() === 'ready' ? true : undefined;
}

async function pidFile(folder: string): Promise<string[]> {
  const content = await readFile(join(folder, 'postmaster.pid'), 'utf8').catch(() => '');
  return content.split('\n');
}

/**
 * A taken port and a lock pass by themselves. A lock also passes when the process that bears the
 * number in it is no PostgreSQL of this folder: the number was given out again after a crash.
 */
async function passes(error: unknown, cluster: Cluster): Promise<boolean> {
  const words = message(error);
  if (words.includes(PORT_TAKEN)) return true;
  if (!LOCKED.test(words)) return false;
  if (process.platform === 'linux' && words.includes('lock file')) {
    const pid = Number((await pidFile(cluster.folder))[0]);
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
    if (cwd !== undefined && cwd !== (await realpath(cluster.folder))) {
      await rm(join(cluster.folder, 'postmaster.pid'), { force: true });
    }
  }
  return true;
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
