// SPDX-License-Identifier: Apache-2.0
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { eventSubject } from '@impound/contracts/event.ts';
import { ACK_WAIT_MS, consumerPlan, STREAM } from '@impound/contracts/streams.ts';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { Environment } from '../src/config.ts';
import type { Log } from '../src/log.ts';
import { tell } from '../src/relay.ts';
import type { AnyService, House } from '../src/service.ts';
import { type Running, start } from '../src/start.ts';
import { type TestBus, testBus } from '../src/testing/bus.ts';
import {
  type BeforeSay,
  type ScriptedLedger,
  scriptedLedger,
} from '../src/testing/scripted-ledger.ts';
import { wait } from '../src/wait.ts';

/** One line of a log that is kept for the test. */
export interface Line {
  readonly level: string;
  readonly phrase: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A bus, a ledger with a script, and services that end before both. */
export interface World {
  readonly bus: TestBus;
  /** Ends the bus as a power cut would and starts it with an empty store. */
  lose(): Promise<void>;
  readonly ledger: ScriptedLedger;
  readonly lines: readonly Line[];
  /** Somebody who is no service. */
  readonly connection: NatsConnection;
  /** Tells the first entry of a chain again, as the ledger does after a loss or a stall. */
  tellAgain(acquisitionId: string): Promise<void>;
  /** Starts a service; its house is what its open was given. */
  start(service: AnyService, more?: Environment): Promise<Running & { readonly house: House }>;
  /** What JetStream knows of the consumer by which a service hears an event. */
  consumer(
    service: string,
    type: string,
  ): Promise<{ pending: number; unacked: number; deliveries: number }>;
  /** Shortens the time after which JetStream gives a message to somebody else. */
  ackWait(service: string, type: string, milliseconds: number): Promise<void>;
}

/** What a world has beside the usual. */
export interface Given {
  /** Sees each say before the ledger takes it. */
  readonly before?: BeforeSay;
  /** Text in nats-server's configuration language. */
  readonly config?: string;
}

/** Builds one with the consumers of these services. */
export async function world(
  t: TestContext,
  services: readonly string[],
  given: Given = {},
): Promise<World> {
  const scope = new AsyncDisposableStack();
  t.after(() => scope.disposeAsync());
  const bus = await testBus(t, { config: given.config });
  const ledger = await scriptedLedger(t, bus.url, services, given.before);
  const connection = await connect({ servers: bus.url, maxReconnectAttempts: -1 });
  scope.defer(() => connection.close());
  const manager = await jetstreamManager(connection);
  const durable = (service: string, type: string) => consumerPlan(service, type, '*').durable;
  const lines: Line[] = [];
  let again = 0;
  return {
    bus,
    lose: async () => {
      await bus.kill();
      await rm(join(bus.storeDir, 'jetstream'), { recursive: true });
      await bus.restart();
    },
    ledger,
    lines,
    connection,
    tellAgain: async (acquisitionId) => {
      again += 1;
      await tellFirst({ connection, ledger, again }, acquisitionId);
    },
    start: async (service, more) => {
      const { running, house } = await startWith(service, bus.url, keptLog(lines), more);
      scope.use(running);
      return { ...running, house };
    },
    consumer: async (service, type) => {
      const info = await manager.consumers.info(STREAM.name, durable(service, type));
      const { num_pending: pending, num_ack_pending: unacked, delivered } = info;
      return { pending, unacked, deliveries: delivered.consumer_seq };
    },
    ackWait: async (service, type, milliseconds) => {
      const name = durable(service, type);
      const { config } = await manager.consumers.info(STREAM.name, name);
      if (config.ack_wait !== ACK_WAIT_MS * 1_000_000) throw new Error('ack_wait is not ours');
      await manager.consumers.update(STREAM.name, name, { ack_wait: milliseconds * 1_000_000 });
    },
  };
}

async function tellFirst(
  it: { connection: NatsConnection; ledger: ScriptedLedger; again: number },
  acquisitionId: string,
): Promise<void> {
  const [entry] = it.ledger.chain(acquisitionId);
  if (entry === undefined) throw new Error(`there is no chain ${acquisitionId}`);
  const { type, tenant, id, data } = entry.event;
  const route = String(data['executor'] ?? '_');
  await tell(it, {
    subject: eventSubject({ type, route, tenant, acquisitionId }),
    seq: 0,
    eventId: id,
    entryHash: 'a'.repeat(64),
    bytes: Buffer.from(JSON.stringify(entry)),
    again: it.again,
  });
}

/** Starts a service and gives the house that its open was given as well. */
export async function startWith(
  service: AnyService,
  url: string,
  log: Log,
  more: Environment = {},
) {
  const { promise, resolve } = Promise.withResolvers<House>();
  const open: AnyService['open'] = async (config, scope, house) => {
    resolve(house);
    return await service.open(config, scope, house);
  };
  const running = await start({ ...service, open }, { NATS_URL: url, ...more }, log);
  return { running, house: await promise };
}

/** A log whose lines a test can look at. */
export function keptLog(lines: Line[]): Log {
  const keep =
    (level: string) =>
    (phrase: string, fields: object = {}) =>
      void lines.push({ level, phrase, fields: { ...fields } });
  return { debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') };
}

/** Long enough for something to happen that must not. */
export async function quiet(milliseconds: number): Promise<void> {
  await wait(milliseconds, new AbortController().signal);
}
