// SPDX-License-Identifier: Apache-2.0
import type { TestContext } from 'node:test';
import { AcquisitionAssignedV1 } from '@impound/contracts/acquisition/assigned.v1.ts';
import { AcquisitionExpiredV1 } from '@impound/contracts/acquisition/expired.v1.ts';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import type { DataOf, EventContract } from '@impound/contracts/event.ts';
import { ExecutionStartedV1 } from '@impound/contracts/execution/started.v1.ts';
import type { QuestionContract, ReplyOf, RequestOf } from '@impound/contracts/question.ts';
import { type SayReply, SEQ, TOLD_AGAIN } from '@impound/contracts/say.ts';
import { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';
import { asker } from '@impound/runtime/ask.ts';
import { openBus } from '@impound/runtime/bus.ts';
import { newId } from '@impound/runtime/ids.ts';
import { type Log, openLog } from '@impound/runtime/log.ts';
import { type Database, openDatabase } from '@impound/runtime/postgres.ts';
import { sayer } from '@impound/runtime/say.ts';
import { Secret } from '@impound/runtime/secret.ts';
import { type Running, start } from '@impound/runtime/start.ts';
import { type TestBus, testBus } from '@impound/runtime/testing/bus.ts';
import { type TestDatabase, testDatabase } from '@impound/runtime/testing/database.ts';
import { newLogKeys } from '@impound/transparency/log-keys.ts';
import { migrate } from '../src/db/migrate.ts';
import { ledger } from '../src/service.ts';

/** A log that keeps what was said, for tests that wait for a phrase. */
export interface KeptLog extends Log {
  readonly lines: { readonly phrase: string; readonly fields: object }[];
}

export function keptLog(): KeptLog {
  const lines: { phrase: string; fields: object }[] = [];
  const quiet = openLog('ledger', (process.env['LEDGER_TEST_LOG'] as 'silent') ?? 'silent');
  const keep = (level: 'debug' | 'info' | 'warn' | 'error') => {
    return (phrase: string, fields: object = {}) => {
      lines.push({ phrase, fields });
      quiet[level](phrase, fields);
    };
  };
  const levels = { debug: keep('debug'), info: keep('info'), warn: keep('warn') };
  return { ...levels, error: keep('error'), lines };
}

/** A message as it went over the bus. */
export interface Heard {
  readonly seq: number;
  readonly again: boolean;
  readonly type: string;
  readonly acq: string;
}

/** How events are said in a test: whatever is left out is made up. */
export interface SayOptions {
  readonly id?: string;
  readonly tenant?: string;
  readonly causeId?: string;
  readonly expectedVersion?: number;
  readonly as?: string;
}

/** A bus, a migrated database, and one who speaks and listens. */
export interface World {
  readonly bus: TestBus;
  readonly database: TestDatabase;
  readonly heard: Heard[];
  /** Connects as a role; the superuser where none is named. */
  sql(role?: string): Database;
  /** What a ledger reads from its environment. */
  environment(): Readonly<Record<string, string>>;
  start(options?: {
    readonly log?: Log;
    readonly stallMs?: number;
    readonly role?: string;
  }): Promise<Running>;
  say<C extends EventContract>(
    contract: C,
    acquisitionId: string,
    data: DataOf<C>,
    options?: SayOptions,
  ): Promise<SayReply>;
  ask<Q extends QuestionContract>(question: Q, request: RequestOf<Q>): Promise<ReplyOf<Q>>;
  request(subject: string, body: string): Promise<SayReply>;
  /** Has a consumer hand out its next message, and never settles it. */
  take(durable: string): Promise<void>;
  /** What the stream holds, from its first message on. */
  stored(): Promise<readonly Heard[]>;
}

const SPEAKERS: Readonly<Record<string, string>> = {
  target: 'discovery',
  access: 'rbac-checker',
  execution: 'executor-kubernetes',
  'evidence.captured.v1': 'executor-kubernetes',
  'evidence.stored.v1': 'uploader',
  'evidence.accessed.v1': 'gateway',
  callback: 'gateway',
  'acquisition.requested.v1': 'gateway',
  'cancellation.requested.v1': 'gateway',
  acquisition: 'coordinator',
};

export async function world(
  t: TestContext,
  given: {
    readonly bus?: TestBus;
    readonly database?: TestDatabase;
    /** False: a database without roles and tables. */
    readonly migrated?: boolean;
    /** The secret of the log; a new one if left out. */
    readonly keys?: string;
  } = {},
): Promise<World> {
  const scope = new AsyncDisposableStack();
  // Before the bus, so that services end while it is there.
  t.after(() => scope.disposeAsync());
  const bus = given.bus ?? (await testBus(t));
  const database = given.database ?? (await testDatabase(t));
  const { password } = database.server;
  const passwords = {
    writerPassword: password('ledger_writer'),
    readerPassword: password('ledger_reader'),
    verifierPassword: password('ledger_verifier'),
  };
  if (given.migrated ?? true) await migrate(database.url, passwords);
  const speaker = { url: bus.url, service: 'speaker', worker: 'speaker-1' };
  const connection = await openBus(speaker, keptLog(), scope);
  const heard: Heard[] = [];
  connection.subscribe('impound.v1.event.>', {
    callback: (_error, message) => {
      const { subject, headers } = message;
      const again = headers?.has(TOLD_AGAIN) === true;
      const told = heardAt(subject, Number(headers?.get(SEQ)), again);
      if (!isOwn(told)) heard.push(told);
    },
  });
  const url = (role?: string) => database.server.url(database.name, role);
  const keys = given.keys ?? newLogKeys('ledger.test/log');
  const environment = ({ role = 'ledger_writer', stallMs = 15_000 } = {}) => ({
    NATS_URL: bus.url,
    DATABASE_URL: url(role),
    LOG_KEYS: keys,
    STALL_MS: String(stallMs),
    // Tests count what they say: those about heads have them more often.
    HEADS_MS: '3600000',
  });
  return {
    bus,
    database,
    heard,
    sql: (role) => openDatabase(new Secret(url(role)), { connectionsMax: 1, name: 'test' }, scope),
    environment,
    start: async ({ log = keptLog(), ...options } = {}) => {
      return scope.use(await start(ledger, environment(options), log));
    },
    say: (contract, acquisitionId, data, options = {}) => {
      const { as, id = newId(), tenant = 'default', ...rest } = options;
      const [noun = ''] = contract.type.split('.');
      const service = as ?? SPEAKERS[contract.type] ?? SPEAKERS[noun];
      const say = sayer(connection, `/impound/${service}/${service}-1`);
      return say({ contract, data, acquisitionId, id, tenant, ...rest }, t.signal);
    },
    ask: (question, request) => asker(connection)(question, request, t.signal),
    request: async (subject, body) => {
      const options = { timeout: 30_000 };
      const reply = await connection.request(subject, body, options);
      return JSON.parse(Buffer.from(reply.data).toString('utf8'));
    },
    take: async (durable) => {
      const subject = `$JS.API.CONSUMER.MSG.NEXT.IMPOUND.${durable}`;
      await connection.request(subject, '{"batch":1}', { timeout: 10_000, noMux: true });
    },
    stored: async () => {
      const messages: Heard[] = [];
      for (let seq = 1; ; seq++) {
        const asked = connection.request('$JS.API.STREAM.MSG.GET.IMPOUND', JSON.stringify({ seq }));
        const reply = await asked.catch(() => undefined);
        const { message } = JSON.parse(reply ? Buffer.from(reply.data).toString('utf8') : '{}');
        if (message === undefined) return messages.filter((told) => !isOwn(told));
        const carried = Buffer.from(message.hdrs, 'base64').toString('utf8');
        const seqOf = Number(/^Impound-Seq: (\d+)\r$/m.exec(carried)?.[1]);
        const told = heardAt(message.subject, seqOf, carried.includes(TOLD_AGAIN));
        messages.push(told);
      }
    },
  };
}

/** What the log says of itself, beginning with its first entry: tests count what they say. */
function isOwn({ type }: Heard): boolean {
  return /^(log|key|signer|checkpoint|heads)\./.test(type);
}

function heardAt(subject: string, seq: number, again: boolean): Heard {
  const [, , , noun, verb, , , acq = ''] = subject.split('.');
  return { seq, again, type: `${noun}.${verb}.v1`, acq };
}

export const requested = AcquisitionRequestedV1.shape.parse(AcquisitionRequestedV1.example);
export const missing = TargetMissingV1.shape.parse(TargetMissingV1.example);
export const assigned = AcquisitionAssignedV1.shape.parse(AcquisitionAssignedV1.example);

export const started = ExecutionStartedV1.shape.parse(ExecutionStartedV1.example);
export const expired = AcquisitionExpiredV1.shape.parse(AcquisitionExpiredV1.example);
