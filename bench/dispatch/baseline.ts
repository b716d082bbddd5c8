// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { startNatsServer } from '@impound/runtime/embedded/nats-server.ts';
import {
  AckPolicy,
  type JsMsg,
  jetstream,
  jetstreamManager,
  StorageType,
} from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import postgres from 'postgres';

/** What dispatch is measured against: the least that a durable way from a door to a worker is. */
export interface Baseline extends AsyncDisposable {
  /** Milliseconds of one message through JetStream, one commit, and one message more. */
  once(): Promise<number>;
  /**
   * Milliseconds of what no implementation of the flow can do without: each of five events asked to
   * be recorded, committed and answered, and four of them told to who goes on.
   */
  floor(): Promise<number>;
}

const EVENTS = 5;
/** Where the ledger's door would be: whoever asks is answered after a commit. */
const DOOR = 'door';

const HOPS = ['one', 'two'] as const;
/** As large as an entry of the ledger usually is. */
const BYTES = 1_024;

/**
 * Two hops by a JetStream of its own, of the same program and with files, and one commit in the
 * platform's own PostgreSQL. Publishes are awaited, consumers wait with an open pull.
 */
export async function openBaseline(databaseUrl: string, signal: AbortSignal): Promise<Baseline> {
  await using opening = new AsyncDisposableStack();
  const storeDir = await mkdtemp(join(tmpdir(), 'impound-bench-'));
  opening.defer(() => rm(storeDir, { recursive: true, force: true, maxRetries: 5 }));
  const binary = process.env['NATS_SERVER'];
  const server = opening.use(await startNatsServer({ storeDir, binary }, signal));
  const connection = await connect({ servers: server.url });
  opening.defer(() => connection.close());
  const manager = await jetstreamManager(connection);
  const stream = jetstream(connection);
  const pulls: AsyncIterator<JsMsg>[] = [];
  for (const name of HOPS) {
    await manager.streams.add({ name, subjects: [name], storage: StorageType.File });
    await manager.consumers.add(name, { durable_name: name, ack_policy: AckPolicy.Explicit });
    const consumer = await stream.consumers.get(name, name);
    const messages = await consumer.consume({ max_messages: 1 });
    // Its watch over missed heartbeats would keep the process alive.
    opening.defer(() => void messages.stop());
    pulls.push(messages[Symbol.asyncIterator]());
  }
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => undefined });
  opening.defer(() => sql.end({ timeout: 1 }));
  await sql`create table bench_baseline (id bigint generated always as identity, body text)`;
  const body = 'x'.repeat(BYTES);
  const hop = async (at: 0 | 1) => {
    const next = pulls[at]?.next();
    await stream.publish(HOPS[at], body);
    (await next)?.value?.ack();
  };
  const commit = () => sql`insert into bench_baseline (body) values (${body})`;
  connection.subscribe(DOOR, {
    callback: (_error, message) => void commit().then(() => message.respond()),
  });
  const scope = opening.move();
  return {
    once: async () => {
      const startedAt = performance.now();
      await hop(0);
      await commit();
      await hop(1);
      return performance.now() - startedAt;
    },
    floor: async () => {
      const startedAt = performance.now();
      for (let event = 1; event <= EVENTS; event++) {
        await connection.request(DOOR, body);
        if (event < EVENTS) await hop(0);
      }
      return performance.now() - startedAt;
    },
    [Symbol.asyncDispose]: () => scope.disposeAsync(),
  };
}
