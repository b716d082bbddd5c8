// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type Child, startChild, untilReady } from './child.ts';
import { greeting, HOST, retryWhile } from './ports.ts';

const STOP_MS_MAX = 10_000;
const PORTS_FILE = '.ports';
/** Where packages put the server; the sbin folders are not on an unprivileged user's PATH. */
const PLACES = ['nats-server', '/usr/sbin/nats-server', '/usr/local/sbin/nats-server'] as const;

/** What a nats-server of one's own needs. JetStream is always on. */
export interface NatsServerOptions {
  /** A directory for JetStream's files and the rendered configuration; made when missing. */
  readonly storeDir: string;
  /** Given: this port of 127.0.0.1, waited for when taken. Left out: a free one. */
  readonly port?: number | undefined;
  /** Text in nats-server's configuration language: accounts, users, permissions. */
  readonly config?: string | undefined;
  /** The program; left out, `nats-server` from PATH and the usual sbin folders. */
  readonly binary?: string | undefined;
}

/** A nats-server with JetStream that runs beside this process. */
export interface NatsServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly version: string;
  /** Ends it in good order. */
  stop(): Promise<void>;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
}

/**
 * Starts nats-server (2.9.10 or newer) on 127.0.0.1 and waits until it takes connections. Throws
 * when the program is missing, the configuration is refused or `signal` aborts; nothing runs then.
 */
export async function startNatsServer(
  options: NatsServerOptions,
  signal: AbortSignal,
): Promise<NatsServer> {
  const file = await findNatsServer(options.binary);
  const storeDir = resolve(options.storeDir);
  const args = await prepare({ ...options, storeDir });
  const taken = (error: unknown) => String(error).includes('address already in use');
  return await retryWhile(taken, () => launch({ file, args, storeDir }, signal), signal);
}

async function launch(
  { file, args, storeDir }: { file: string; args: readonly string[]; storeDir: string },
  signal: AbortSignal,
): Promise<NatsServer> {
  const child = await startChild({ file, args, cwd: storeDir, deathSignal: 'KILL' }, signal);
  try {
    const port = await untilReady(child, () => announcedPort(storeDir, child.pid), signal);
    const version = await serverVersion(port, signal);
    return natsServer(child, port, version);
  } catch (error) {
    await child.end('SIGKILL', 0);
    signal.throwIfAborted();
    throw new Error(`nats-server did not start in ${storeDir}: ${text(error)}`, { cause: error });
  }
}

function natsServer(child: Child, port: number, version: string): NatsServer {
  const stop = () => child.end('SIGTERM', STOP_MS_MAX);
  return {
    url: `nats://${HOST}:${port}`,
    port,
    pid: child.pid,
    version,
    stop,
    kill: () => child.end('SIGKILL', 0),
    [Symbol.asyncDispose]: stop,
  };
}

async function findNatsServer(binary: string | undefined): Promise<string> {
  const named = binary?.includes('/') ? resolve(binary) : binary;
  for (const place of named === undefined ? PLACES : [named]) {
    const found = await promisify(execFile)(place, ['--version']).catch(() => undefined);
    if (found !== undefined) return place;
  }
  throw new Error(
    `${binary ?? 'nats-server'} was not found or does not run. Install it (Debian and Ubuntu: ` +
      'apt-get install nats-server) or name the program in NATS_SERVER.',
  );
}

async function prepare(options: NatsServerOptions): Promise<string[]> {
  const { storeDir, port, config } = options;
  await mkdir(storeDir, { recursive: true, mode: 0o700 });
  const stale = (await readdir(storeDir)).filter((name) => name.endsWith(PORTS_FILE));
  for (const name of stale) await rm(join(storeDir, name), { force: true });
  const args = ['--addr', HOST, '--port', String(port ?? -1), '--jetstream'];
  args.push('--store_dir', storeDir, '--ports_file_dir', storeDir);
  if (config === undefined) return args;
  const path = join(storeDir, 'nats-server.conf');
  await rm(path, { force: true });
  await writeFile(path, config, { mode: 0o600, flag: 'wx' });
  return [...args, '--config', path];
}

/** nats-server names its ports in a file once it listens; undefined until then. */
async function announcedPort(storeDir: string, pid: number): Promise<number | undefined> {
  const name = (await readdir(storeDir)).find((entry) => entry.endsWith(`_${pid}${PORTS_FILE}`));
  if (name === undefined) return undefined;
  try {
    const ports: { nats?: string[] } = JSON.parse(await readFile(join(storeDir, name), 'utf8'));
    const port = Number(new URL(ports.nats?.[0] ?? '').port);
    return port > 0 ? port : undefined;
  } catch {
    return undefined; // half written: the next look finds it whole
  }
}

async function serverVersion(port: number, signal: AbortSignal): Promise<string> {
  const line = await greeting(port, signal);
  const info: { version?: string; jetstream?: boolean } = JSON.parse(line.replace(/^INFO /, ''));
  if (info.jetstream !== true) throw new Error('JetStream is off; remove what disables it');
  return info.version ?? 'unknown';
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
