// SPDX-License-Identifier: Apache-2.0
import { AuthorizationError, connect, type NatsConnection } from '@nats-io/transport-node';
import { messageOf } from './fault.ts';
import type { Log } from './log.ts';
import type { Secret } from './secret.ts';
import { wait } from './wait.ts';

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
const CONNECT_MS_MAX = 5_000;
const DRAIN_MS_MAX = 2_000;

/**
 * One connection per service. Waits for a bus that is away, and comes back to it for as long as it
 * is open; it ends by itself only where the server refuses its credentials (`closed()` tells).
 * Rejects where they are refused at once, or with the signal's reason.
 */
export async function openBus(
  options: BusOptions,
  log: Log,
  scope: AsyncDisposableStack,
  signal: AbortSignal = new AbortController().signal,
): Promise<NatsConnection> {
  const connection = await firstConnection(options, log, signal);
  scope.defer(() => closeBus(connection));
  void watchStatus(connection, log);
  return connection;
}

async function firstConnection(
  options: BusOptions,
  log: Log,
  signal: AbortSignal,
): Promise<NatsConnection> {
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    try {
      return await connect({
        servers: options.url,
        name: options.worker,
        inboxPrefix: `_INBOX_${options.service.replaceAll('-', '_')}`,
        maxReconnectAttempts: -1,
        reconnectTimeWait: RECONNECT_MS,
        pingInterval: PING_MS,
        timeout: CONNECT_MS_MAX,
        ...credentials(options),
      });
    } catch (error) {
      if (error instanceof AuthorizationError) throw error;
      if (attempt === 1) log.warn('waiting for the bus', { because: messageOf(error) });
      await wait(RECONNECT_MS, signal);
    }
  }
}

function credentials({ user, password }: BusOptions): { user?: string; pass?: string } {
  return {
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { pass: password.reveal() }),
  };
}

/** Lets what was sent arrive; a bus that is away is not waited for. */
async function closeBus(connection: NatsConnection): Promise<void> {
  const over = new AbortController();
  await Promise.race([connection.drain().catch(() => undefined), wait(DRAIN_MS_MAX, over.signal)]);
  over.abort();
  await connection.close();
}

const STATUS_QUIET_MS = 5_000;

async function watchStatus(connection: NatsConnection, log: Log): Promise<void> {
  let saidAt = 0;
  for await (const status of connection.status()) {
    const phrase = PHRASES[status.type];
    const now = performance.now();
    if (phrase === undefined || (phrase === BUS_AWAY && now - saidAt < STATUS_QUIET_MS)) continue;
    saidAt = now;
    const because = status.type === 'error' ? { because: messageOf(status.error) } : {};
    log.warn(phrase, { status: status.type, ...because });
  }
}

const BUS_AWAY = 'bus away';
const PHRASES: Readonly<Record<string, string>> = {
  disconnect: BUS_AWAY,
  reconnecting: BUS_AWAY,
  reconnect: 'bus back',
  error: 'bus error',
};
