// SPDX-License-Identifier: Apache-2.0
import { endsAcquisition } from '@impound/contracts/chain.ts';
import { Entry } from '@impound/contracts/entry.ts';
import { nounVerb } from '@impound/contracts/event.ts';
import type { Database } from '@impound/runtime/postgres.ts';
import { wait } from '@impound/runtime/wait.ts';
import type { NatsConnection } from '@nats-io/transport-node';

/** Sees what happens, so that a drill can act at the very moment. */
export interface Tap {
  /** The next entry of that type, of whichever acquisition, as soon as it is published. */
  next(type: string, so?: (entry: Entry) => boolean): Promise<Entry>;
  /** Resolves when somebody next says an event of that type, before it is on record. */
  nextSay(type: string): Promise<void>;
  /** A chain as the database has it now; empty where that is away. */
  chain(acquisitionId: string): Promise<readonly Entry[]>;
  /** The first entry of that type in a chain, once it is on record. */
  later(acquisitionId: string, type: string, signal: AbortSignal): Promise<Entry>;
  /** The entry that ends an acquisition, once it is on record, whoever is away meanwhile. */
  ended(acquisitionId: string, signal: AbortSignal): Promise<Entry>;
}

const LOOK_MS = 100;

/** A tap of the bus, for what comes, and of the database, for what is. */
export function openTap(connection: NatsConnection, sql: Database): Tap {
  const chain = async (acquisitionId: string) => {
    const rows = await sql`
      select entry from ledger_entry where acq = ${acquisitionId} order by acq_seq`.catch(() => []);
    return rows.map(entryOf);
  };
  return {
    next: (type, so = () => true) =>
      first(connection, `impound.v1.event.${nounVerb(type).join('.')}.>`, (text) => {
        const entry = Entry.parse(JSON.parse(text));
        return so(entry) ? entry : undefined;
      }),
    nextSay: async (type) => {
      const subject = `impound.v1.say.*.*.${nounVerb(type).join('.')}`;
      await first(connection, subject, (text) => text);
    },
    chain,
    later: (acquisitionId, type, signal) =>
      found(
        () => chain(acquisitionId),
        ({ event }) => event.type === type,
        signal,
      ),
    ended: (acquisitionId, signal) =>
      found(
        () => chain(acquisitionId),
        ({ event }) => endsAcquisition(event.type),
        signal,
      ),
  };
}

async function found(
  look: () => Promise<readonly Entry[]>,
  so: (entry: Entry) => boolean,
  signal: AbortSignal,
): Promise<Entry> {
  for (;;) {
    const entry = (await look()).find(so);
    if (entry !== undefined) return entry;
    await wait(LOOK_MS, signal);
    signal.throwIfAborted();
  }
}

/** The entry that a row of the ledger holds. */
export function entryOf(row: Record<string, unknown>): Entry {
  return Entry.parse(JSON.parse((row['entry'] as Buffer).toString('utf8')));
}

function first<T>(
  connection: NatsConnection,
  subject: string,
  take: (text: string) => T | undefined,
): Promise<T> {
  const { promise, resolve } = Promise.withResolvers<T>();
  const subscription = connection.subscribe(subject, {
    callback: (error, message) => {
      const taken = error === null ? take(message.string()) : undefined;
      if (taken === undefined) return;
      subscription.unsubscribe();
      resolve(taken);
    },
  });
  return promise;
}
