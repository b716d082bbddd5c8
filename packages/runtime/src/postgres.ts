// SPDX-License-Identifier: Apache-2.0
import { connect } from 'node:net';
import postgres, { type PendingQuery, type Row, type Sql, type TransactionSql } from 'postgres';
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
  /**
   * Told when a connection has ended. With it connections are never renewed by age, so that what
   * belongs to a session (an advisory lock) lasts as long as the session can.
   */
  readonly lost?: (() => void) | undefined;
}

/**
 * Opens a pool, which connects with the first query and again after a loss. TCP_NODELAY is set by
 * hand: without it large batches stall for 40 ms each, because the driver leaves Nagle's algorithm
 * on. The socket is handed over before it is connected, so that a refused connection reaches the
 * driver as the socket's own error and the pool can use that place again.
 */
export function openDatabase(
  url: Secret,
  options: DatabaseOptions,
  scope: AsyncDisposableStack,
): Database {
  const { hostname, port } = new URL(url.reveal());
  const host = hostname.replace(/^\[|\]$/g, '');
  const sql = postgres(url.reveal(), {
    max: options.connectionsMax,
    connection: { application_name: options.name },
    onnotice: () => undefined,
    connect_timeout: 10,
    ...(options.lost === undefined ? {} : { onclose: options.lost, max_lifetime: null }),
    // @ts-expect-error the option exists and is not in the driver's types
    socket: () => connect({ host, port: Number(port || '5432'), noDelay: true }),
  });
  scope.defer(() => sql.end({ timeout: 5 }));
  return sql;
}
