// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Child, startChild, untilReady } from './child.ts';
import { greeting, HOST, retryWhile } from './ports.ts';

const STOP_MS_MAX = 10_000;
const RELOAD_MS_MAX = 10_000;
const LOOK_MS = 10;
const NEVER = new AbortController().signal;
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
  /** Gives it another configuration while it runs. Rejects where the server refuses it. */
  reload(config: string): Promise<void>;
  /** Settles when it has ended, whoever ended it, with its last words. */
  readonly ended: Promise<string>;
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
    return natsServer(child, { port, version, storeDir });
  } catch (error) {
    await child.end('SIGKILL', 0);
    signal.throwIfAborted();
    throw new Error(`nats-server did not start in ${storeDir}: ${text(error)}`, { cause: error });
  }
}

interface Running {
  readonly port: number;
  readonly version: string;
  readonly storeDir: string;
}

function natsServer(child: Child, { port, version, storeDir }: Running): NatsServer {
  const stop = () => child.end('SIGTERM', STOP_MS_MAX);
  return {
    url: `nats://${HOST}:${port}`,
    port,
    pid: child.pid,
    version,
    reload: (config) => reload(child, storeDir, config),
    ended: child.exit(NEVER).then(() => child.log()),
    stop,
    kill: () => child.end('SIGKILL', 0),
    [Symbol.asyncDispose]: stop,
  };
}

const RELOADED = /Reloaded server configuration|Failed to reload server configuration: .*/;
const MARK_CHARACTERS = 200;

/**
 * Twice: what an account imports works only from the reload after the one that brought the account
 * (2.9.10 and 2.15.1 alike). Its log is the only place where a server tells whether it took it.
 */
async function reload(child: Child, storeDir: string, config: string): Promise<void> {
  await writeConfig(storeDir, config);
  await readAnew(child);
  await readAnew(child);
}

async function readAnew(child: Child): Promise<void> {
  const mark = child.log().slice(-MARK_CHARACTERS);
  process.kill(child.pid, 'SIGHUP');
  const limit = AbortSignal.timeout(RELOAD_MS_MAX);
  for (;;) {
    const told = RELOADED.exec(child.log().split(mark).at(-1) ?? '')?.[0];
    if (told?.startsWith('Failed')) throw new Error(told);
    if (told !== undefined) return;
    await sleep(LOOK_MS, undefined, { signal: limit });
  }
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
  return [...args, '--config', await writeConfig(storeDir, config)];
}

/** In one step: a server that reads it finds the old one or the new one. */
async function writeConfig(storeDir: string, config: string): Promise<string> {
  const path = join(storeDir, 'nats-server.conf');
  await rm(`${path}.next`, { force: true });
  await writeFile(`${path}.next`, config, { mode: 0o600, flag: 'wx' });
  await rename(`${path}.next`, path);
  return path;
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
