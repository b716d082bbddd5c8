// SPDX-License-Identifier: Apache-2.0
import { connect } from 'node:net';
import postgres, { type Sql } from 'postgres';
import type { Secret } from './secret.ts';

/** Connections to Postgres of one process. */
export type Database = Sql;

/**
 * Opens a pool. TCP_NODELAY is set by hand: without it large batches stall for 40 ms each, because
 * the driver leaves Nagle's algorithm on.
 */
export function openDatabase(
  url: Secret,
  options: { readonly connectionsMax: number; readonly name: string },
  scope: AsyncDisposableStack,
): Database {
  const address = new URL(url.reveal());
  const sql = postgres(url.reveal(), {
    max: options.connectionsMax,
    connection: { application_name: options.name },
    onnotice: () => undefined,
    connect_timeout: 10,
    // @ts-expect-error the option exists and is not in the driver's types
    socket: () => {
      const socket = connect({
        host: address.hostname,
        port: Number(address.port || '5432'),
        noDelay: true,
      });
      return new Promise((resolve, reject) => {
        socket.once('connect', () => resolve(socket));
        socket.once('error', reject);
      });
    },
  });
  scope.defer(() => sql.end({ timeout: 5 }));
  return sql;
}
