// SPDX-License-Identifier: Apache-2.0
import { nodeTools } from '@impound/ledger/adapters/node-tools.ts';
import { postgresPen } from '@impound/ledger/adapters/postgres-pen.ts';
import { migrate } from '@impound/ledger/db/migrate.ts';
import type { Say } from '@impound/ledger/domain/say.ts';
import { headCache } from '@impound/ledger/handlers/head-cache.ts';
import { enqueue, openQueue } from '@impound/ledger/handlers/queue.ts';
import { sequence } from '@impound/ledger/handlers/sequence.ts';
import type { PostgresServer } from '@impound/runtime/embedded/postgres.ts';
import { openLog } from '@impound/runtime/log.ts';
import { Secret } from '@impound/runtime/secret.ts';
import postgres from 'postgres';

/** As many as wait at the ledger's door at most, and whole batches. */
const WAITING_MAX = 7_680;

/** The ledger's own writer, without the bus in front of it. */
export interface Writer extends AsyncDisposable {
  /**
   * Resolves when all of these are committed. Rejects where one is refused. More come to the door
   * as those before are answered.
   */
  append(says: readonly Say[]): Promise<void>;
  /** Entries in the log. */
  size(): number;
}

/** A database with the ledger's tables, and who may write into them. */
export async function database(server: PostgresServer, name: string): Promise<string> {
  const sql = postgres(server.url('postgres'), { max: 1, onnotice: () => undefined });
  const [there] = await sql`select from pg_database where datname = ${name}`;
  if (there === undefined) await sql`create database ${sql(name)}`;
  await sql.end();
  await migrate(server.url(name), { writerPassword: server.password('ledger_writer') });
  return server.url(name, 'ledger_writer');
}

/** Takes the pen of a migrated database as the service does: queue, decision, tree, commit. */
export async function openWriter(url: string, waitingMax = WAITING_MAX): Promise<Writer> {
  const never = new AbortController();
  const pen = await postgresPen(new Secret(url), 'bench').take(() => undefined, never.signal);
  const queue = openQueue();
  const term = {
    ...{ pen, queue, heads: headCache(20_000), tools: nodeTools('bench') },
    size: pen.standing().size,
    log: openLog('ledger', 'silent'),
    committed: () => undefined,
    vouch: () => Promise.reject(new Error('nothing here is sealed')),
  };
  const writing = sequence(term, never.signal);
  const failed = writing.then(() => Promise.reject(new Error('the writer ended')));
  failed.catch(() => undefined);
  const append = async (says: readonly Say[]) => {
    const done = Promise.withResolvers<void>();
    let room = Promise.withResolvers<void>();
    let [left, waiting] = [says.length, 0];
    const answer = (reply: { readonly ok: boolean }) => {
      if (!reply.ok) done.reject(new Error(JSON.stringify(reply)));
      waiting--;
      room.resolve();
      if (--left === 0) done.resolve();
    };
    for (const say of says) {
      while (waiting >= waitingMax) {
        room = Promise.withResolvers();
        await Promise.race([room.promise, done.promise, failed]);
      }
      waiting++;
      enqueue(queue, { say, cameAt: performance.now(), answer });
    }
    await Promise.race([done.promise, failed]);
  };
  return {
    append,
    size: () => term.size,
    [Symbol.asyncDispose]: async () => {
      never.abort();
      await writing.catch(() => undefined);
      await pen[Symbol.asyncDispose]();
    },
  };
}
