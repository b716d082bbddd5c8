// SPDX-License-Identifier: Apache-2.0
import type { Socket } from 'node:net';
import postgres, { type ISql, type PendingQuery, type Row } from 'postgres';
import {
  type Ask,
  openQuestions,
  type Questions,
  transaction,
  watched,
} from './postgres-questions.ts';
import { driverSocket, failure, lostSocket } from './postgres-socket.ts';
import type { Secret } from './secret.ts';
import { wait } from './wait.ts';

/** One connection within a transaction. */
export interface Transaction extends ISql {
  /** What it would need to know of types, the driver asks for where nobody hears a refusal. */
  readonly array: never;
}

/** Connections to Postgres of one process. */
export interface Database extends Transaction {
  begin<T>(body: (asking: Transaction) => Promise<T>): Promise<T>;
  begin<T>(options: string, body: (asking: Transaction) => Promise<T>): Promise<T>;
}

/** A part of a statement, to be put into another one. */
export type Fragment = PendingQuery<Row[]>;

/** How a pool is opened; `name` is what the server lists it under. */
export interface DatabaseOptions {
  readonly connectionsMax: number;
  readonly name: string;
  /** A statement that takes longer is ended by the server. */
  readonly statementMsMax?: number;
  /** Told when a connection has ended. */
  readonly lost?: (() => void) | undefined;
}

const STATEMENT_MS_MAX = 60_000;
/** What a statement may wait for a connection, and its answer be on the way. */
const WAY_MS_MAX = 10_000;
const CONNECT_SECONDS_MAX = 10;
/** What is under way when a pool is closed or renewed may end within this. */
const CLOSING_MS_MAX = 5_000;
const GOODBYE_SECONDS_MAX = 2;

/**
 * Opens a pool, which connects with the first query and again after a loss. Whatever it is asked is
 * answered or refused: within the limit of a statement and its way, and when the scope ends.
 */
export function openDatabase(
  url: Secret,
  options: DatabaseOptions,
  scope: AsyncDisposableStack,
): Database {
  let over = false;
  let pool = openPool(url, options, renew);
  /** A connection of the driver that was lost once may never send anything again. */
  function renew(): void {
    if (over) return;
    const before = pool;
    pool = openPool(url, options, renew);
    void before.close();
  }
  scope.defer(async () => {
    over = true;
    await pool.close();
  });
  return new Proxy(pool.ask, {
    apply: (_first, _this, args) => Reflect.apply(pool.ask, undefined, args),
    get: (_first, key) => (key === 'begin' ? pool.begin : Reflect.get(pool.ask, key)),
  }) as unknown as Database;
}

interface Pool {
  readonly ask: Ask;
  readonly begin: (...args: readonly unknown[]) => Promise<unknown>;
  close(): Promise<void>;
}

/**
 * TCP_NODELAY is set by hand: without it large batches stall for 40 ms each, because the driver
 * leaves Nagle's algorithm on. A pool that has lost a connection makes
 * no other: what the body of a transaction asks after that would be written outside of it.
 * Connections are never renewed by age: what belongs to a session (an advisory lock) lasts as long
 * as the session can.
 */
function openPool(url: Secret, options: DatabaseOptions, renew: () => void): Pool {
  const { connectionsMax, name, lost, statementMsMax = STATEMENT_MS_MAX } = options;
  const { hostname, port } = new URL(url.reveal());
  const to = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || '5432') };
  const sockets = new Set<Socket>();
  let isSpoiled = false;
  let isEnding = false;
  const spoil = () => {
    if (!isSpoiled) renew();
    isSpoiled = true;
    lost?.();
  };
  const lose = (socket: Socket) => {
    sockets.delete(socket);
    spoil();
    // No other comes for what waits in the driver.
    if (sockets.size === 0) setImmediate(() => questions.refuse(closed()));
  };
  const from = { lost: lose, isEnding: () => isEnding };
  const questions = openQuestions(statementMsMax + WAY_MS_MAX, (because) => {
    spoil();
    end(questions, because, sockets);
  });
  const sql = postgres(url.reveal(), {
    max: connectionsMax,
    connection: { application_name: name, statement_timeout: statementMsMax },
    onnotice: () => undefined,
    connect_timeout: CONNECT_SECONDS_MAX,
    max_lifetime: null,
    fetch_types: false,
    // @ts-expect-error the option exists and is not in the driver's types
    socket: () => {
      if (isSpoiled) return lostSocket(from);
      const socket = driverSocket(to, from);
      sockets.add(socket);
      return socket;
    },
  });
  const begin = sql.begin as unknown as (...args: unknown[]) => Promise<unknown>;
  return {
    ask: watched(questions, sql as unknown as Ask),
    begin: (...args) =>
      transaction(
        questions,
        (inside) => begin(...args.slice(0, -1), inside),
        args.at(-1) as (asking: Ask) => Promise<unknown>,
      ),
    close: async () => {
      const waited = new AbortController();
      await Promise.race([questions.close(), wait(CLOSING_MS_MAX, waited.signal)]);
      waited.abort();
      isEnding = true;
      isSpoiled = true;
      await sql.end({ timeout: GOODBYE_SECONDS_MAX });
      end(questions, failure('CONNECTION_ENDED', 'the pool has ended'), sockets);
    },
  };
}

function closed(): Error {
  return failure('CONNECTION_CLOSED', 'the connection was closed');
}

/** The driver knows nothing of sockets that it began to open for a pool that has ended since. */
function end(questions: Questions, because: Error, sockets: ReadonlySet<Socket>): void {
  questions.refuse(because);
  for (const socket of sockets) socket.destroy();
}
