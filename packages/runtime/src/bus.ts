// SPDX-License-Identifier: Apache-2.0
import { setImmediate } from 'node:timers/promises';
import { inboxPrefix } from '@impound/contracts/bus-rights.ts';
import {
  type Authenticator,
  AuthorizationError,
  connect,
  type NatsConnection,
  nkeyAuthenticator,
  PermissionViolationError,
  type Status,
} from '@nats-io/transport-node';
import { seedIn } from './bus-keys.ts';
import { messageOf, Never } from './fault.ts';
import type { Log } from './log.ts';
import { wait } from './wait.ts';

/** How a service reaches the bus, and the file of the seed by which it proves who it is there. */
export interface BusOptions {
  readonly url: string;
  readonly nkeyFile?: string | undefined;
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
  if (connection.info?.auth_required !== true) {
    log.warn('the bus lets in whoever comes', { advice: 'run it with deploy/nats, or impound up' });
  }
  return connection;
}

async function firstConnection(
  options: BusOptions,
  log: Log,
  signal: AbortSignal,
): Promise<NatsConnection> {
  const known = identity(options);
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    try {
      return await connect({
        servers: options.url,
        name: options.worker,
        inboxPrefix: inboxPrefix(options.service),
        maxReconnectAttempts: -1,
        reconnectTimeWait: RECONNECT_MS,
        pingInterval: PING_MS,
        timeout: CONNECT_MS_MAX,
        // The trace of who asks costs each request a stack, and only errors would show it.
        noAsyncTraces: true,
        ...known,
      });
    } catch (error) {
      if (error instanceof AuthorizationError) throw error;
      if (attempt === 1) log.warn('waiting for the bus', { because: messageOf(error) });
      await wait(RECONNECT_MS, signal);
    }
  }
}

/** Only a signature by the seed is sent, never the seed. */
function identity({ nkeyFile }: BusOptions): { authenticator?: Authenticator } {
  return nkeyFile === undefined ? {} : { authenticator: nkeyAuthenticator(seedIn(nkeyFile)) };
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
  const saidAt = new Map<string, number>();
  for await (const status of connection.status()) {
    const { phrase, level = 'warn', fields } = lineOf(status) ?? {};
    if (phrase === undefined) continue;
    const now = performance.now();
    if (phrase !== BUS_BACK && now - (saidAt.get(phrase) ?? -Infinity) < STATUS_QUIET_MS) continue;
    saidAt.set(phrase, now);
    log[level](phrase, { status: status.type, ...fields });
  }
}

interface Line {
  readonly phrase: string;
  readonly level?: 'warn' | 'error';
  readonly fields?: Readonly<Record<string, unknown>>;
}

/**
 * What the server forbids is told aloud: often nobody waits for an answer to it, and a service that
 * lacks a right would only be slow.
 */
function lineOf(status: Status): Line | undefined {
  if (status.type !== 'error') {
    const phrase = PHRASES[status.type];
    return phrase === undefined ? undefined : { phrase };
  }
  const { error } = status;
  if (!(error instanceof PermissionViolationError)) {
    return { phrase: 'bus error', fields: { because: messageOf(error) } };
  }
  const { operation, subject } = error;
  return { phrase: 'forbidden by the bus', level: 'error', fields: { operation, subject, advice } };
}

const advice = 'give the service its own seed, and the server the permissions of this version';

const BUS_AWAY = 'bus away';
const BUS_BACK = 'bus back';
const PHRASES: Readonly<Record<string, string>> = {
  disconnect: BUS_AWAY,
  reconnecting: BUS_AWAY,
  reconnect: BUS_BACK,
};

/**
 * Gives the first thing that the server has forbidden since: a service asks before it calls itself
 * started, for with a right missing it would hear nothing and say nothing.
 */
export function watchForbidden(connection: NatsConnection): () => Promise<void> {
  let forbidden: PermissionViolationError | undefined;
  void (async () => {
    for await (const status of connection.status()) {
      if (status.type !== 'error') continue;
      if (status.error instanceof PermissionViolationError) forbidden ??= status.error;
    }
  })();
  return async () => {
    await connection.flush();
    // The server's refusals came before its answer, and are handed on with the next turn.
    await setImmediate();
    if (forbidden === undefined) return;
    const { operation, subject } = forbidden;
    throw new Never('forbidden', `the bus forbids ${operation} ${subject}: ${advice}`);
  };
}
