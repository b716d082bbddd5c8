// SPDX-License-Identifier: Apache-2.0
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { coordinator } from '@impound/coordinator/service.ts';
import { discovery } from '@impound/discovery/service.ts';
import { executorKubernetes } from '@impound/executor-kubernetes/service.ts';
import { gateway } from '@impound/gateway/service.ts';
import { migrate } from '@impound/ledger/db/migrate.ts';
import { ledger } from '@impound/ledger/service.ts';
import { rbacChecker } from '@impound/rbac-checker/service.ts';
import type { Environment } from '@impound/runtime/config.ts';
import { freePort } from '@impound/runtime/embedded/ports.ts';
import { startPostgres } from '@impound/runtime/embedded/postgres.ts';
import type { Log } from '@impound/runtime/log.ts';
import type { AnyService } from '@impound/runtime/service.ts';
import { start } from '@impound/runtime/start.ts';
import { uploader } from '@impound/uploader/service.ts';
import { startBus } from './bus.ts';
import { openDataDir } from './data-dir.ts';
import { EXIT, Exit } from './exit-code.ts';
import { admitLocal, integrationsFile } from './integrations.ts';
import { logKeys, readKeys, writeSecret } from './keys.ts';
import { openLogFile } from './log-file.ts';
import { makeStatementKeys, signerFolder } from './signers.ts';

/** Everything in one process. Disposing it stops the services, then the bus, then the database. */
export interface Platform extends AsyncDisposable {
  /** Where the gateway listens. */
  readonly url: string;
  readonly token: string;
  readonly dataDir: string;
  readonly versions: { readonly nats: string; readonly postgres: string };
  /** Where the bus listens, for services in processes of their own. */
  readonly natsUrl: string;
  /** To look at the ledger: connects as a role that may only read. */
  readonly databaseUrl: string;
  /** The NATS_NKEY_FILE of such a service. */
  nkeyFile(service: string): string;
  /** Its STATEMENT_KEY; undefined where it signs nothing. */
  statementKey(service: string): string | undefined;
  /** For drills: kills the bus, deletes all it kept, and starts it empty on the same port. */
  loseBus(): Promise<void>;
}

export interface PlatformOptions {
  /** Where everything is kept: database, bus, evidence, keys, logs. Made where it is missing. */
  readonly dataDir: string;
  /** Port of the gateway; 0 or left out: a free one. */
  readonly port?: number | undefined;
  readonly natsBinary?: string | undefined;
  /** Told what is being done, for people who wait. */
  readonly progress?: ((phrase: string) => void) | undefined;
  /** Settings of the services, by their names in the services' config.ts; they go before ours. */
  readonly environment?: Environment | undefined;
  /** The services that are started here, by name; left out, all. */
  readonly only?: readonly string[] | undefined;
  /** Services that are not started here, by name: they run elsewhere. */
  readonly without?: readonly string[] | undefined;
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
  await using opening = new AsyncDisposableStack();
  await openDataDir(dataDir, opening);
  const keys = await readKeys(dataDir);
  progress('starting PostgreSQL and nats-server');
  const { postgres, bus } = await startServers(
    { dataDir, binary: options.natsBinary },
    opening,
    signal,
  );
  progress('preparing the ledger');
  await migrate(postgres.url(DATABASE), {
    writerPassword: postgres.password(WRITER),
    readerPassword: postgres.password(READER),
    verifierPassword: postgres.password(VERIFIER),
  });
  signal.throwIfAborted();
  const integrations = integrationsFile(dataDir);
  await admitLocal(integrations, keys.token);
  const statements = await statementKeys(dataDir);
  const gatewayPort = options.port || (await freePort());
  const log = await openLogFile(join(dataDir, 'impound.log'), opening);
  const environment: Environment = {
    NATS_URL: bus.url,
    DATABASE_URL: postgres.url(DATABASE, WRITER),
    SIGNING_KEY: keys.signing,
    SIGNERS: statements.signers,
    GATEWAY_PORT: String(gatewayPort),
    INTEGRATIONS_FILE: integrations,
    ...(await ownEnvironment(dataDir)),
    ...options.environment,
  };
  progress('starting services');
  const identity = {
    nkeyFile: bus.seedFile,
    statementKey: (service: string) => statements.keys.get(service),
  };
  await startAll(wantedOf(options), { environment, log, ...identity }, opening);
  opening.use(bus.tend(log('bus')));
  signal.throwIfAborted();
  const scope = opening.move();
  return {
    url: `http://127.0.0.1:${gatewayPort}`,
    token: keys.token,
    dataDir,
    versions: { nats: bus.version, postgres: postgres.version },
    natsUrl: bus.url,
    databaseUrl: postgres.url(DATABASE, READER),
    ...identity,
    loseBus: () => bus.lose(),
    [Symbol.asyncDispose]: () => scope.disposeAsync(),
  };
}

/** What follows from where the data are. */
async function ownEnvironment(dataDir: string): Promise<Environment> {
  return {
    // What an interruption left is told again soon: on one machine that costs next to nothing.
    STALL_MS: '2000',
    CLUSTERS_FILE: await clustersFile(dataDir),
    STORE_URL: pathToFileURL(join(dataDir, 'evidence')).href,
    UPLOADER_PORT: '0',
    LOG_KEYS: await logKeys(dataDir),
    SPOOL_DIR: join(dataDir, 'spool'),
  };
}

function wantedOf({ only, without = [] }: PlatformOptions): readonly AnyService[] {
  return SERVICES.filter(({ name }) => !without.includes(name) && (only?.includes(name) ?? true));
}

const DATABASE = 'postgres';
const WRITER = 'ledger_writer';
const READER = 'ledger_reader';
const VERIFIER = 'ledger_verifier';

/** Both at once; where one fails the other is ended, too. */
async function startServers(
  { dataDir, binary }: { readonly dataDir: string; readonly binary: string | undefined },
  ...[scope, signal]: [AsyncDisposableStack, AbortSignal]
) {
  const failed = new AbortController();
  const both = AbortSignal.any([signal, failed.signal]);
  const failing = (error: unknown) => {
    failed.abort(error);
    throw error;
  };
  const [postgres, bus] = await Promise.allSettled([
    startPostgres({ dataDir: join(dataDir, 'postgres') }, both).catch(failing),
    startBus({ dataDir, binary }, both).catch(failing),
  ]);
  for (const one of [postgres, bus]) if (one.status === 'fulfilled') scope.use(one.value);
  if (postgres.status === 'rejected' || bus.status === 'rejected') throw both.reason;
  return { postgres: postgres.value, bus: bus.value };
}

interface Starting {
  readonly environment: Environment;
  readonly log: (service: string) => Log;
  readonly nkeyFile: (service: string) => string;
  readonly statementKey: (service: string) => string | undefined;
}

async function startAll(
  services: readonly AnyService[],
  { environment, log, nkeyFile, statementKey }: Starting,
  scope: AsyncDisposableStack,
): Promise<void> {
  const begin = (one: AnyService) =>
    start(
      one,
      {
        NATS_NKEY_FILE: nkeyFile(one.name),
        STATEMENT_KEY: statementKey(one.name),
        ...environment,
      },
      log(one.name),
    );
  // The ledger first: it lays the stream on which the others hear.
  const [first, ...others] = services;
  if (first !== undefined) scope.use(await begin(first));
  const started = await Promise.allSettled(others.map(begin));
  for (const one of started) if (one.status === 'fulfilled') scope.use(one.value);
  for (const one of started) if (one.status === 'rejected') throw one.reason;
}

async function statementKeys(dataDir: string) {
  const folder = join(dataDir, 'statements');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return await makeStatementKeys(signerFolder(folder));
}

async function clustersFile(dataDir: string): Promise<string> {
  const file = join(dataDir, 'clusters.json');
  await writeFile(file, '{}\n', { mode: 0o600, flag: 'wx' }).catch(ignoreExisting);
  return file;
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
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
  const known = clustersOf(await readFile(file, 'utf8'), file);
  await writeSecret(file, JSON.stringify({ ...known, [name]: entry }, null, 2));
}

function clustersOf(text: string, file: string): Record<string, unknown> {
  try {
    const known: unknown = JSON.parse(text);
    if (typeof known === 'object' && known !== null) return known as Record<string, unknown>;
  } catch {
    // said below
  }
  throw new Exit(EXIT.failed, `${file} is damaged: put it right, or remove it and name them again`);
}
