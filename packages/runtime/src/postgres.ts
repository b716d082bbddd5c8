// SPDX-License-Identifier: Apache-2.0
import postgres, { type PendingQuery, type Row, type Sql, type TransactionSql } from 'postgres';
import { driverSocket } from './postgres-socket.ts';
import type { Secret } from './secret.ts';

/** Connections to Postgres of one process. */
export type Database = Sql;

/** One connection within a transaction. */
export type Transaction = TransactionSql;

/** A part of a statement, to be put into another one. */
export type Fragment = PendingQuery<Row[]>;

/** How a pool is opened; `name` is what the server lists it under. */
export interface DatabaseOptions {
  readonly connectionsMax: number;
  readonly name: string;
  /** Told when a connection has ended. */
  readonly lost?: (() => void) | undefined;
}

/**
 * Opens a pool, which connects with the first query and again after a loss. TCP_NODELAY is set by
 * hand: without it large batches stall for 40 ms each, because the driver leaves Nagle's algorithm
 * on. The socket is handed over before it is connected, so that a refused connection reaches the
 * driver as the socket's own error.
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
    // What still waits there for a connection is told so.
    void before.end({ timeout: RENEWAL_SECONDS });
  }
  scope.defer(async () => {
    over = true;
    await pool.end({ timeout: 5 });
  });
  return new Proxy(pool, {
    apply: (_first, _this, args) => Reflect.apply(pool, undefined, args),
    get: (_first, key) => Reflect.get(pool, key),
  });
}

const RENEWAL_SECONDS = 5;

/**
 * Connections are never renewed by age: what belongs to a session (an advisory lock) lasts as long
 * as the session can.
 */
function openPool(url: Secret, { connectionsMax, name, lost }: DatabaseOptions, renew: () => void) {
  const { hostname, port } = new URL(url.reveal());
  const host = hostname.replace(/^\[|\]$/g, '');
  let isSpoiled = false;
  const spoil = () => {
    if (!isSpoiled) renew();
    isSpoiled = true;
    lost?.();
  };
  return postgres(url.reveal(), {
    max: connectionsMax,
    connection: { application_name: name },
    onnotice: () => undefined,
    connect_timeout: 10,
    max_lifetime: null,
    // @ts-expect-error the option exists and is not in the driver's types
    socket: () => driverSocket({ host, port: Number(port || '5432') }, spoil),
  });
}
