// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Lab, startCluster } from '@impound/lab/cluster.ts';
import type { LabOptions } from '@impound/lab/options.ts';
import { migrate } from '@impound/ledger/db/migrate.ts';
import type { NatsServer } from '@impound/runtime/embedded/nats-server.ts';
import { freePort } from '@impound/runtime/embedded/ports.ts';
import { type PostgresServer, startPostgres } from '@impound/runtime/embedded/postgres.ts';
import { newId } from '@impound/runtime/ids.ts';
import { type Database, openDatabase } from '@impound/runtime/postgres.ts';
import { Secret } from '@impound/runtime/secret.ts';
import { newLogKeys } from '@impound/transparency/log-keys.ts';
import type { NatsConnection } from '@nats-io/transport-node';
import { type Access, type Client, openClient } from '../../cli/src/client.ts';
import { makeStatementKeys, signerFolder } from '../../cli/src/signers.ts';
import { type Bus, startBus } from './bus.ts';
import { CLUSTER, CONTAINER, labOf, NAMESPACE, type Pods } from './cluster.ts';
import { crewOf, type Ground, MANY, SERVICES, type ServiceName } from './crew.ts';
import { type Door, openDoor } from './door.ts';
import type { Killable, Member } from './member.ts';
import { type Server, startServer } from './server.ts';
import { openTap, type Tap } from './tap.ts';

/** What a drill wants to stand on. */
export interface FleetOptions {
  readonly pods: Pods;
  /** Changes the cluster before it is started: what is in its containers. */
  readonly lab?: (usual: LabOptions) => LabOptions;
  /** Processes of each service; one where it is left out. */
  readonly replicas?: Partial<Record<ServiceName, number>>;
  /** Settings of one service's processes; they go before the fleet's own. */
  readonly settings?: Partial<Record<ServiceName, Readonly<Record<string, string>>>>;
  /** Programs that stand in for services, e.g. where there are more targets than containers. */
  readonly cast?: Partial<Record<ServiceName, URL>>;
  /** Members whose way to the bus leads through a door. */
  readonly doors?: readonly string[];
  /** How long a dead process stays dead; RESTART_MS if left out. */
  readonly restartMs?: number;
  /** How many acquisitions one integration may have open; MANY if left out. */
  readonly openMax?: number;
}

/** What is asked for, beside the pod. */
export type Wish = Readonly<Record<string, unknown>>;

/** A whole platform of processes, with a cluster to collect from. */
export interface Fleet extends AsyncDisposable {
  readonly directory: string;
  readonly lab: Lab;
  readonly members: readonly Member[];
  readonly bus: Server<NatsServer>;
  readonly database: Server<PostgresServer>;
  readonly storeDir: string;
  /** Where executors keep results that the ledger has not recorded yet. */
  readonly spoolDir: string;
  readonly tap: Tap;
  /** One that may hear everything. */
  readonly watcher: NatsConnection;
  /** Where the gateway is, for those who count its answers. */
  readonly access: Access;
  /** The names of all pods. */
  readonly pods: readonly string[];
  /** As the superuser: for looking only. */
  readonly sql: Database;
  readonly client: Client;
  /** One whose requests wait for the approval of another. */
  readonly asker: Client;
  /** Every request that the gateway has accepted. */
  readonly accepted: ReadonlySet<string>;
  /** The members of one service. */
  of(service: ServiceName): readonly Member[];
  /** The door on a member's way to the bus. */
  door(name: string): Door;
  /** A service's first member, `nats-server` or `postgres`, by its name. */
  victim(name: string): Killable;
  /** Asks for the evidence of a pod and gives the acquisition's id once it is on record. */
  order(pod: string, wish?: Wish, client?: Client): Promise<string>;
  /** Resolves when every member works. */
  ready(): Promise<void>;
}

export const RESTART_MS = 250;
const DATABASE = 'postgres';
const WRITER = 'ledger_writer';

/** Starts the servers, the cluster and every service, and waits until all of them work. */
export async function startFleet(options: FleetOptions, signal: AbortSignal): Promise<Fleet> {
  await using opening = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'impound-drill-'));
  opening.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  const { restartMs = RESTART_MS, replicas = {}, settings = {}, cast = {} } = options;
  const { lab: changed = (usual: LabOptions) => usual } = options;
  const executors = namesOf('executor-kubernetes', replicas);
  const lab = opening.use(await startCluster(changed(labOf(options.pods, executors)), signal));
  const database = opening.use(await startDatabase(directory, restartMs, signal));
  const bus = await startBus(directory, restartMs, signal);
  opening.use(bus.server);
  const doors = await doorsTo(bus, options.doors ?? [], opening);
  const ground = await groundFor({ directory, lab, database, bus, doors }, options.openMax);
  const url = new Secret(database.now().url(DATABASE));
  const sql = openDatabase(url, { connectionsMax: 2, name: 'drill' }, opening);
  const connection = await bus.watcher();
  opening.defer(() => connection.close());
  const members: Member[] = [];
  for (const service of SERVICES) {
    const names = namesOf(service, replicas);
    const own = { settings: settings[service], program: cast[service] };
    const crew = await crewOf({ service, names, restartMs, ground, ...own });
    for (const member of crew) members.push(opening.use(member));
  }
  const accepted = new Set<string>();
  const clientOf = (token: string) => openClient({ url: ground.gatewayUrl, token }, signal);
  const client = clientOf(ground.token);
  const ready = async () => void (await Promise.all(members.map((one) => one.ready())));
  await Promise.race([ready(), aborted(signal)]);
  const scope = opening.move();
  const of = (service: ServiceName) => members.filter((one) => one.service === service);
  return {
    ...{ directory, lab, members, database, sql, client, accepted, of, ready },
    bus: bus.server,
    storeDir: ground.storeDir,
    spoolDir: ground.spoolDir,
    asker: clientOf(ground.askerToken),
    tap: openTap(connection, sql),
    watcher: connection,
    access: { url: ground.gatewayUrl, token: ground.token },
    pods: [...options.pods.shells, ...options.pods.shellless],
    door: (name) => doorOf(doors, name),
    victim: (name) => victimOf([...members, bus.server, database], name),
    order: async (pod, wish = {}, by = client) => {
      const body = { ...orderOf(pod), ...wish };
      const headers = { 'idempotency-key': newId() };
      const { acquisitionId } = await by.post('/v1/acquisitions', body, headers);
      accepted.add(acquisitionId);
      return acquisitionId;
    },
    [Symbol.asyncDispose]: () => scope.disposeAsync(),
  };
}

async function doorsTo(
  { server }: Bus,
  names: readonly string[],
  scope: AsyncDisposableStack,
): Promise<ReadonlyMap<string, Door>> {
  const doors = new Map<string, Door>();
  for (const name of names) doors.set(name, scope.use(await openDoor(server.now().port)));
  return doors;
}

function doorOf(doors: ReadonlyMap<string, Door>, name: string): Door {
  const door = doors.get(name);
  if (door !== undefined) return door;
  throw new Error(`${name} has no door: name it in doors`);
}

function namesOf(
  service: ServiceName,
  replicas: Partial<Record<ServiceName, number>>,
): readonly string[] {
  return Array.from({ length: replicas[service] ?? 1 }, (_, at) => `${service}-${at + 1}`);
}

async function startDatabase(
  directory: string,
  restartMs: number,
  signal: AbortSignal,
): Promise<Server<PostgresServer>> {
  const dataDir = join(directory, 'postgres');
  const start = (before?: PostgresServer) => startPostgres({ dataDir, port: before?.port }, signal);
  const database = await startServer('postgres', start, restartMs);
  const { url, password } = database.now();
  await migrate(url(DATABASE), { writerPassword: password(WRITER) });
  return database;
}

async function groundFor(
  at: {
    readonly directory: string;
    readonly lab: Lab;
    readonly database: Server<PostgresServer>;
    readonly bus: Bus;
    readonly doors: ReadonlyMap<string, Door>;
  },
  openMax = MANY,
): Promise<Ground> {
  const secret = () => randomBytes(32).toString('base64url');
  const storeDir = join(at.directory, 'evidence');
  const logDir = join(at.directory, 'logs');
  const statementsDir = join(at.directory, 'statements');
  await Promise.all([mkdir(logDir), mkdir(statementsDir)]);
  await makeStatementKeys(signerFolder(statementsDir));
  const [gatewayPort, uploaderPort] = [await freePort(), await freePort()];
  return {
    ...{ directory: at.directory, logDir, storeDir, lab: at.lab, gatewayPort, uploaderPort },
    spoolDir: join(at.directory, 'spool'),
    natsUrl: (name) => `nats://127.0.0.1:${(at.doors.get(name) ?? at.bus.server.now()).port}`,
    nkeyFile: at.bus.nkeyFile,
    databaseUrl: at.database.now().url(DATABASE, WRITER),
    gatewayUrl: `http://127.0.0.1:${gatewayPort}`,
    token: secret(),
    askerToken: secret(),
    signingKey: secret(),
    openMax,
    logKeys: newLogKeys('drill.test/log'),
    statementsDir,
  };
}

function victimOf(all: readonly Killable[], name: string): Killable {
  const found = all.find((one) => one.name === name || one.name === `${name}-1`);
  if (found !== undefined) return found;
  throw new Error(`the fleet has no ${name}: ${all.map((one) => one.name).join(', ')}`);
}

function orderOf(pod: string): object {
  return {
    target: `kubernetes://${CLUSTER}/${NAMESPACE}/${pod}/${CONTAINER}`,
    caseId: 'DRILL-1',
    reason: 'a drill',
    profile: 'volatile',
    deadlineSeconds: 600,
  };
}

async function aborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  if (signal.aborted) reject(signal.reason);
  signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  return await promise;
}
