// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogKeyRole } from '@impound/contracts/log-key.ts';
import { migrate } from '@impound/ledger/db/migrate.ts';
import { type NatsServer, startNatsServer } from '@impound/runtime/embedded/nats-server.ts';
import { type PostgresServer, startPostgres } from '@impound/runtime/embedded/postgres.ts';
import { type Database, openDatabase } from '@impound/runtime/postgres.ts';
import { Secret } from '@impound/runtime/secret.ts';
import {
  headSigners,
  newLogKeys,
  readLogKeys,
  rotatedLogKeys,
} from '@impound/transparency/log-keys.ts';
import type { Vkey } from '@impound/transparency/vkey.ts';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import postgres from 'postgres';
import { type Member, startMember } from '../fleet/member.ts';
import { type Server, startServer } from '../fleet/server.ts';
import { busReader } from './bus-steps.ts';
import { postgresReader } from './postgres-steps.ts';
import { openSigners, type Signers } from './signers.ts';
import { openSpeaker, type Speaker } from './speaker.ts';
import { openWire, type Wire } from './wire.ts';

/** A ledger as a process of its own, with a wire to each server that it stands on. */
export interface Stand extends AsyncDisposable {
  readonly directory: string;
  readonly database: Server<PostgresServer>;
  readonly bus: Server<NatsServer>;
  readonly ledger: Member;
  readonly wires: Readonly<Record<'database' | 'bus', Wire>>;
  /** As the superuser, beside the wire. */
  readonly sql: Database;
  /** One that may hear and ask everything, beside the wire. */
  readonly connection: NatsConnection;
  readonly speaker: Speaker;
  /** Every key that has signed for the log so far. */
  readonly vkeys: readonly Vkey[];
  /** Gives the log another key, which a ledger that starts next has on record first. */
  rotate(role: LogKeyRole): Promise<void>;
  /** Who signs what is said: the ledger takes nothing unsigned that is to be signed. */
  readonly signers: Signers;
}

/** What a stand may be given. */
export interface StandOptions {
  /** Where PostgreSQL keeps its files; a folder of the stand if left out. */
  readonly dataDir?: string;
}

const DATABASE = 'postgres';
const RESTART_MS = 100;
const RECONNECT_MS = 20;
/** Each commit of the ledger takes at least so long, so that something can happen within it. */
const COMMIT_MICROSECONDS = 40_000;
const WRITER = 'ledger_writer';

/** Starts PostgreSQL, nats-server and a ledger between them, and waits until it works. */
export async function openStand(options: StandOptions, signal: AbortSignal): Promise<Stand> {
  await using opening = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'impound-crash-'));
  opening.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  const { dataDir = join(directory, 'postgres') } = options;
  const database = opening.use(await startDatabase(dataDir, signal));
  await prepare(database.now());
  const bus = opening.use(await startBus(join(directory, 'nats'), signal));
  const toDatabase = opening.use(await openWire(database.now().port, postgresReader));
  const toBus = opening.use(await openWire(bus.now().port, busReader));
  const url = database.now().url(DATABASE);
  const sql = openDatabase(new Secret(url), { connectionsMax: 2, name: 'drill' }, opening);
  const connection = await connect({
    ...{ servers: bus.now().url, maxReconnectAttempts: -1, reconnectTimeWait: RECONNECT_MS },
  });
  opening.defer(() => connection.close());
  const keys = await openKeys(join(directory, 'log-keys'));
  const signers = await openSigners(join(directory, 'statements'));
  const environment = {
    PATH: process.env['PATH'],
    NATS_URL: `nats://127.0.0.1:${toBus.port}`,
    DATABASE_URL: throughWire(database.now().url(DATABASE, WRITER), toDatabase),
    LOG_KEYS_FILE: keys.file,
    SIGNERS_FILE: signers.file,
  };
  const file = new URL('../../services/ledger/src/main.ts', import.meta.url).pathname;
  const logFile = join(directory, 'ledger.log');
  const life = { name: 'ledger', service: 'ledger', restartMs: RESTART_MS };
  const ledger = opening.use(startMember({ ...life, file, environment, logFile }));
  await ledger.ready();
  const scope = opening.move();
  return {
    ...{ directory, database, bus, ledger, sql, connection, ...keys, signers },
    wires: { database: toDatabase, bus: toBus },
    speaker: openSpeaker(connection),
    [Symbol.asyncDispose]: () => scope.disposeAsync(),
  };
}

function startDatabase(dataDir: string, signal: AbortSignal): Promise<Server<PostgresServer>> {
  const start = (before?: PostgresServer) => startPostgres({ dataDir, port: before?.port }, signal);
  return startServer('postgres', start, RESTART_MS);
}

async function prepare({ url, password }: PostgresServer): Promise<void> {
  await migrate(url(DATABASE), { writerPassword: password(WRITER) });
  const sql = postgres(url(DATABASE), { max: 1, onnotice: () => undefined });
  await sql.unsafe(`alter role ${WRITER} set commit_delay = ${COMMIT_MICROSECONDS};
    alter role ${WRITER} set commit_siblings = 0`);
  await sql.end();
}

function startBus(storeDir: string, signal: AbortSignal): Promise<Server<NatsServer>> {
  const binary = process.env['NATS_SERVER'];
  const start = (before?: NatsServer) =>
    startNatsServer({ storeDir, port: before?.port, binary }, signal);
  return startServer('nats-server', start, RESTART_MS);
}

function throughWire(url: string, { port }: Wire): string {
  const through = new URL(url);
  through.port = String(port);
  return through.href;
}

async function openKeys(file: string) {
  const secret = newLogKeys('drill.test/crash');
  await writeFile(file, secret, { mode: 0o600 });
  const vkeys = vkeysOf(secret);
  return {
    file,
    vkeys,
    rotate: async (role: LogKeyRole) => {
      const rotated = rotatedLogKeys(await readFile(file, 'utf8'), role);
      vkeys.push(...vkeysOf(rotated));
      await writeFile(file, rotated);
    },
  };
}

function vkeysOf(secret: string): Vkey[] {
  return Object.values(headSigners(readLogKeys(secret))).map(({ vkey }) => vkey);
}
