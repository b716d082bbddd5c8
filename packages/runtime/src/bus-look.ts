// SPDX-License-Identifier: Apache-2.0
import { inboxPrefix, OPERATOR, SERVER_SUBJECT } from '@impound/contracts/bus-rights.ts';
import { STREAM } from '@impound/contracts/streams.ts';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import {
  AuthorizationError,
  connect,
  type NatsConnection,
  nkeyAuthenticator,
} from '@nats-io/transport-node';
import * as z from 'zod';
import { seedIn } from './bus-keys.ts';
import { messageOf } from './fault.ts';

/** What a bus tells of itself to who may look, or why it does not. */
export interface BusFacts {
  readonly version: string;
  /** True where the server lets in whoever comes, without any credential. */
  readonly open: boolean;
  readonly encrypted: boolean;
  /** True where who only looks may also listen to what services say: no permissions hold. */
  readonly wide: boolean;
  readonly server: ServerFacts | Unseen;
  readonly stream: StreamFacts | Unseen;
}

/** Something that could not be looked at, and why. */
export interface Unseen {
  readonly unseen: string;
}

/** Of the server's own account of itself, what a verdict needs. */
export interface ServerFacts {
  /** Whether an acknowledged message is on disk; undefined where the server does not say. */
  readonly syncsAlways: boolean | undefined;
  readonly syncIntervalMs: number | undefined;
  /** The server's clock minus ours, in milliseconds, and how uncertain that is. */
  readonly clock: { readonly offsetMs: number; readonly withinMs: number } | undefined;
}

/** The one stream and its consumers. */
export interface StreamFacts {
  readonly replicas: number;
  /** Whether the server is one of a cluster, which could keep more than one replica. */
  readonly clustered: boolean;
  readonly messages: number;
  readonly bytes: number;
  readonly bytesMax: number;
  readonly lastAt: string;
  readonly consumers: readonly ConsumerFacts[];
}

/** How far one service has heard one event. */
export interface ConsumerFacts {
  readonly durable: string;
  /** Not yet given to the service. */
  readonly pending: number;
  /** Given, and not yet answered. */
  readonly unanswered: number;
  /** Given more than once. */
  readonly again: number;
  /** Pulls that wait: none where no process of the service hears. */
  readonly waiting: number;
}

const CONNECT_MS_MAX = 10_000;
const ASK_MS_MAX = 10_000;

/** Looks at a bus as its operator. Throws where it cannot be reached or refuses the seed. */
export async function lookAtBus(
  { url, nkeyFile }: { readonly url: string; readonly nkeyFile?: string | undefined },
  signal: AbortSignal,
): Promise<BusFacts> {
  signal.throwIfAborted();
  const open = await letsAnybodyIn(url);
  const authenticator =
    nkeyFile === undefined ? {} : { authenticator: nkeyAuthenticator(seedIn(nkeyFile)) };
  const connection = await connect({ ...dialled(url), ...authenticator });
  const closing = () => void connection.close();
  signal.addEventListener('abort', closing, { once: true });
  try {
    const { version = 'unknown', tls_required: tls = false } = connection.info ?? {};
    const server = await seen(() => serverFacts(connection));
    const stream = await seen(() => streamFacts(connection));
    const wide = await hearsTooMuch(connection);
    return { version, open, encrypted: tls === true, wide, server, stream };
  } finally {
    signal.removeEventListener('abort', closing);
    await connection.close();
  }
}

function dialled(url: string) {
  const quick = { timeout: CONNECT_MS_MAX, reconnect: false, maxReconnectAttempts: 0 };
  return { servers: url, name: 'impound-doctor', inboxPrefix: inboxPrefix(OPERATOR), ...quick };
}

async function letsAnybodyIn(url: string): Promise<boolean> {
  try {
    await (await connect(dialled(url))).close();
    return true;
  } catch (error) {
    if (error instanceof AuthorizationError) return false;
    throw error;
  }
}

/** A subscription changes nothing; the server refuses it before it answers the next ping. */
async function hearsTooMuch(connection: NatsConnection): Promise<boolean> {
  let refused = false;
  const subscription = connection.subscribe('impound.v1.say.>', {
    callback: (error) => {
      refused ||= error !== null;
    },
  });
  await connection.flush();
  subscription.unsubscribe();
  return !refused;
}

async function seen<T>(look: () => Promise<T>): Promise<T | Unseen> {
  return await look().catch((error: unknown) => ({ unseen: messageOf(error) }));
}

const Varz = z.object({
  now: z.iso.datetime({ offset: true }).optional(),
  jetstream: z
    .object({
      config: z
        .object({ sync_always: z.boolean().optional(), sync_interval: z.number().optional() })
        .optional(),
    })
    .optional(),
});
const Answer = z.object({ data: Varz });
const NANOSECONDS = 1_000_000;

async function serverFacts(connection: NatsConnection): Promise<ServerFacts> {
  const askedAt = Date.now();
  const reply = await connection.request(SERVER_SUBJECT, '', { timeout: ASK_MS_MAX });
  const answeredAt = Date.now();
  const { now, jetstream } = Answer.parse(reply.json()).data;
  const { sync_always: always, sync_interval: interval } = jetstream?.config ?? {};
  return {
    syncsAlways: always,
    syncIntervalMs: interval === undefined ? undefined : interval / NANOSECONDS,
    clock:
      now === undefined
        ? undefined
        : clockBetween({ askedAt, answeredAt, theirs: Date.parse(now) }),
  };
}

/** Their clock was read somewhere between our question and its answer. */
export function clockBetween(at: {
  readonly askedAt: number;
  readonly answeredAt: number;
  readonly theirs: number;
}): { readonly offsetMs: number; readonly withinMs: number } {
  const half = (at.answeredAt - at.askedAt) / 2;
  return { offsetMs: Math.round(at.theirs - at.askedAt - half), withinMs: Math.ceil(half) };
}

async function streamFacts(connection: NatsConnection): Promise<StreamFacts> {
  const manager = await jetstreamManager(connection, { checkAPI: false, timeout: ASK_MS_MAX });
  const { config, state, cluster } = await manager.streams.info(STREAM.name);
  return {
    replicas: config.num_replicas,
    clustered: cluster?.name !== undefined,
    messages: state.messages,
    bytes: state.bytes,
    bytesMax: config.max_bytes,
    lastAt: state.last_ts,
    consumers: await consumersOf(manager),
  };
}

async function consumersOf(manager: JetStreamManager): Promise<ConsumerFacts[]> {
  const found: ConsumerFacts[] = [];
  for await (const one of manager.consumers.list(STREAM.name)) {
    found.push({
      durable: one.name,
      pending: one.num_pending,
      unanswered: one.num_ack_pending,
      again: one.num_redelivered,
      waiting: one.num_waiting,
    });
  }
  return found;
}
