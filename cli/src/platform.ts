// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { coordinator } from '@impound/coordinator/service.ts';
import { discovery } from '@impound/discovery/service.ts';
import { executorKubernetes } from '@impound/executor-kubernetes/service.ts';
import { gateway } from '@impound/gateway/service.ts';
import { migrate } from '@impound/ledger/db/migrate.ts';
import { ledger } from '@impound/ledger/service.ts';
import { rbacChecker } from '@impound/rbac-checker/service.ts';
import type { Environment } from '@impound/runtime/config.ts';
import { type NatsServer, startNatsServer } from '@impound/runtime/embedded/nats-server.ts';
import { startPostgres } from '@impound/runtime/embedded/postgres.ts';
import type { Log } from '@impound/runtime/log.ts';
import type { AnyService } from '@impound/runtime/service.ts';
import { start } from '@impound/runtime/start.ts';
import { uploader } from '@impound/uploader/service.ts';
import { openLogFile } from './log-file.ts';

/** Everything in one process. Disposing it stops the services, then the bus, then the database. */
export interface Platform extends AsyncDisposable {
  /** Where the gateway listens. */
  readonly url: string;
  readonly token: string;
  readonly dataDir: string;
  readonly versions: { readonly nats: string; readonly postgres: string };
  /** For drills: the bus as it runs now. */
  readonly nats: NatsServer;
}

export interface PlatformOptions {
  /** Where everything is kept: database, bus, evidence, keys, logs. Made where it is missing. */
  readonly dataDir: string;
  /** Port of the gateway; 0 or left out: a free one. */
  readonly port?: number | undefined;
  readonly natsBinary?: string | undefined;
  /** Told what is being done, for people who wait. */
  readonly progress?: ((phrase: string) => void) | undefined;
}

const SERVICES: readonly AnyService[] = [
  ledger,
  coordinator,
  discovery,
  rbacChecker,
  uploader,
  executorKubernetes,
  gateway,
];

/** Starts the whole platform on one machine, with a database and a bus of its own. */
export async function startPlatform(
  options: PlatformOptions,
  signal: AbortSignal,
): Promise<Platform> {
  const dataDir = resolve(options.dataDir);
  const progress = options.progress ?? (() => undefined);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await using opening = new AsyncDisposableStack();
  progress('starting PostgreSQL');
  const postgres = opening.use(await startPostgres({ dataDir: join(dataDir, 'postgres') }, signal));
  progress('starting nats-server');
  const storeDir = join(dataDir, 'nats');
  const nats = opening.use(await startNatsServer({ storeDir, binary: options.natsBinary }, signal));
  const keys = await readKeys(dataDir);
  progress('preparing the ledger');
  await migrate(postgres.url(DATABASE), { writerPassword: postgres.password(WRITER) });
  const gatewayPort = options.port || (await freePort());
  const log = await openLogFile(join(dataDir, 'impound.log'), opening);
  const environment: Environment = {
    NATS_URL: nats.url,
    DATABASE_URL: postgres.url(DATABASE, WRITER),
    CLUSTERS_FILE: await clustersFile(dataDir),
    STORE_DIR: join(dataDir, 'evidence'),
    UPLOADER_PORT: '0',
    SIGNING_KEY: keys.signing,
    GATEWAY_PORT: String(gatewayPort),
    TOKENS: JSON.stringify([tokenOf(keys.token)]),
  };
  progress('starting services');
  await startAll(environment, log, opening);
  const scope = opening.move();
  return {
    url: `http://127.0.0.1:${gatewayPort}`,
    token: keys.token,
    dataDir,
    versions: { nats: nats.version, postgres: postgres.version },
    nats,
    [Symbol.asyncDispose]: () => scope.disposeAsync(),
  };
}

const DATABASE = 'postgres';
const WRITER = 'ledger_writer';

async function startAll(
  environment: Environment,
  log: (service: string) => Log,
  scope: AsyncDisposableStack,
): Promise<void> {
  // The ledger first: it lays the stream on which the others hear.
  const [first, ...others] = SERVICES;
  if (first !== undefined) scope.use(await start(first, environment, log(first.name)));
  const started = await Promise.all(others.map((one) => start(one, environment, log(one.name))));
  for (const one of started) scope.use(one);
}

interface Keys {
  readonly token: string;
  readonly signing: string;
}

/** The secrets of a data directory, made once; the file is readable by its owner only. */
async function readKeys(dataDir: string): Promise<Keys> {
  const file = join(dataDir, 'keys.json');
  const found = await readFile(file, 'utf8').catch(() => undefined);
  if (found !== undefined) return JSON.parse(found) as Keys;
  const secret = () => randomBytes(32).toString('base64url');
  const keys: Keys = { token: secret(), signing: secret() };
  await writeFile(file, JSON.stringify(keys), { mode: 0o600, flag: 'wx' });
  return keys;
}

function tokenOf(token: string): object {
  return {
    token,
    actor: { id: 'local', kind: 'person' },
    tenant: 'default',
    mayApprove: true,
    approval: 'never',
  };
}

async function clustersFile(dataDir: string): Promise<string> {
  const file = join(dataDir, 'clusters.json');
  await writeFile(file, '{}\n', { mode: 0o600, flag: 'wx' }).catch(ignoreExisting);
  return file;
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** One way to a cluster, as clusters.json holds it. */
export interface ClusterEntry {
  readonly kubeconfig: string;
  readonly context?: string | undefined;
  readonly allowExecPlugins?: boolean | undefined;
}

/** Makes a cluster known to a platform that keeps its data there; it is read at the next use. */
export async function addCluster(
  dataDir: string,
  name: string,
  entry: ClusterEntry,
): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const file = await clustersFile(resolve(dataDir));
  const known = JSON.parse(await readFile(file, 'utf8')) as Record<string, ClusterEntry>;
  const next = `${file}.${process.pid}`;
  await writeFile(next, JSON.stringify({ ...known, [name]: entry }, null, 2), { mode: 0o600 });
  await chmod(next, 0o600);
  await rename(next, file).catch(async (error: unknown) => {
    await rm(next, { force: true });
    throw error;
  });
}
