// SPDX-License-Identifier: Apache-2.0
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { Log } from './log.ts';
import type { Secret } from './secret.ts';

/** How a service reaches the bus; user and password stay out of the URL and so out of logs. */
export interface BusOptions {
  readonly url: string;
  readonly user?: string | undefined;
  readonly password?: Secret | undefined;
  readonly service: string;
  readonly worker: string;
}

const PING_MS = 20_000;
const RECONNECT_MS = 250;

/**
 * One connection per service, which never gives up by itself: it reconnects until it is closed.
 * Rejects only where the server refuses the credentials or the signal aborts first.
 */
export async function openBus(
  options: BusOptions,
  log: Log,
  scope: AsyncDisposableStack,
): Promise<NatsConnection> {
  const connection = await connect({
    servers: options.url,
    name: options.worker,
    inboxPrefix: `_INBOX_${options.service.replaceAll('-', '_')}`,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_MS,
    waitOnFirstConnect: true,
    pingInterval: PING_MS,
    ...(options.user === undefined ? {} : { user: options.user }),
    ...(options.password === undefined ? {} : { pass: options.password.reveal() }),
  });
  scope.defer(async () => {
    await connection.drain().catch(() => connection.close());
  });
  void watchStatus(connection, log);
  return connection;
}

const STATUS_QUIET_MS = 5_000;

async function watchStatus(connection: NatsConnection, log: Log): Promise<void> {
  let saidAt = 0;
  for await (const status of connection.status()) {
    const phrase = PHRASES[status.type];
    const now = performance.now();
    if (phrase === undefined || (phrase === BUS_AWAY && now - saidAt < STATUS_QUIET_MS)) continue;
    saidAt = now;
    log.warn(phrase, { status: status.type });
  }
}

const BUS_AWAY = 'bus away';
const PHRASES: Readonly<Record<string, string>> = {
  disconnect: BUS_AWAY,
  reconnecting: BUS_AWAY,
  reconnect: 'bus back',
  error: 'bus error',
};
