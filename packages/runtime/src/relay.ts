// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from 'node:util';
import { ENTRY_HASH, SEQ, TOLD_AGAIN } from '@impound/contracts/say.ts';
import {
  ACK_WAIT_MS,
  ACKS_PENDING_MAX,
  type ConsumerPlan,
  DELIVERIES_MAX,
  PULLS_WAITING_MAX,
  STREAM,
} from '@impound/contracts/streams.ts';
import {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type StoredMsg,
} from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import { SpanKind } from '@opentelemetry/api';
import { Never } from './fault.ts';
import { ATTRIBUTE } from './semantics.ts';
import type { House } from './service.ts';
import { contextOf, spanFor } from './span.ts';

const NANOSECONDS = 1_000_000;
const PUBLISH_MS_MAX = 5_000;

/** The stream as it was found: how far it was told, or that it knows nothing any more. */
export interface Laid {
  /** Index of the last entry that was published; undefined: the stream is empty or was lost. */
  readonly toldSeq: number | undefined;
}

/**
 * Lays the stream and the consumers where they are missing or have the limits of another release,
 * and reads the settings back: an old server ignores what it does not know. Throws Never where the
 * stream is another one.
 */
export async function layStream(
  { connection }: Pick<House, 'connection'>,
  plans: readonly ConsumerPlan[],
): Promise<Laid> {
  const manager = await jetstreamManager(connection, { checkAPI: false });
  const info = await manager.streams.info(STREAM.name).catch(absent);
  if (info === undefined) await manager.streams.add({ ...STREAM_SETTINGS });
  const found = await manager.streams.info(STREAM.name);
  if (found.config.retention !== 'limits' || found.config.subjects[0] !== STREAM.subjects[0]) {
    throw new Never('stream-differs', `stream ${STREAM.name} exists and is not ours: remove it`);
  }
  await Promise.all(plans.map((plan) => layConsumer(manager, plan)));
  if (found.state.messages === 0) return { toldSeq: undefined };
  const last = await manager.streams.getMessage(STREAM.name, { seq: found.state.last_seq });
  return { toldSeq: last === null ? undefined : toldSeqOf(last) };
}

/** How far the log was told when this message was: what comes after it in the log came later. */
function toldSeqOf({ header }: StoredMsg): number | undefined {
  const told = header.get(TOLD_SEQ) || header.get(SEQ);
  return told ? Number(told) : undefined;
}

const STREAM_SETTINGS = {
  name: STREAM.name,
  subjects: [...STREAM.subjects],
  retention: RetentionPolicy.Limits,
  storage: StorageType.File,
  discard: DiscardPolicy.Old,
  max_age: STREAM.maxAgeMs * NANOSECONDS,
  max_bytes: STREAM.maxBytes,
  max_msg_size: STREAM.maxMessageBytes,
  duplicate_window: STREAM.duplicateWindowMs * NANOSECONDS,
  deny_delete: STREAM.denyDelete,
  deny_purge: STREAM.denyPurge,
};

/** What a release may change of a consumer that an earlier one has laid. */
const CONSUMER_LIMITS = {
  ack_wait: ACK_WAIT_MS * NANOSECONDS,
  max_deliver: DELIVERIES_MAX,
  max_ack_pending: ACKS_PENDING_MAX,
};

async function layConsumer(manager: JetStreamManager, plan: ConsumerPlan): Promise<void> {
  const info = await manager.consumers.info(STREAM.name, plan.durable).catch(absent);
  if (info?.config.filter_subject !== plan.filter) {
    await manager.consumers.add(STREAM.name, {
      durable_name: plan.durable,
      filter_subject: plan.filter,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      max_waiting: PULLS_WAITING_MAX,
      ...CONSUMER_LIMITS,
    });
  } else if (!isDeepStrictEqual(info.config, { ...info.config, ...CONSUMER_LIMITS })) {
    await manager.consumers.update(STREAM.name, plan.durable, CONSUMER_LIMITS);
  }
}

/** What JetStream knows of one consumer. */
export interface ConsumerState {
  readonly durable: string;
  /** Published and not yet delivered. */
  readonly pending: number;
  /** Delivered and not yet settled. */
  readonly unsettled: number;
}

/** Looks at the consumers, whether or not anybody hears by them; what is missing is left out. */
export async function consumerStates(
  house: House,
  plans: readonly ConsumerPlan[],
): Promise<readonly ConsumerState[]> {
  const manager = await jetstreamManager(house.connection, { checkAPI: false });
  const look = async ({ durable }: ConsumerPlan): Promise<ConsumerState[]> => {
    const info = await manager.consumers.info(STREAM.name, durable).catch(absent);
    if (info === undefined) return [];
    return [{ durable, pending: info.num_pending, unsettled: info.num_ack_pending }];
  };
  return (await Promise.all(plans.map(look))).flat();
}

/** Whether an entry lies in the stream and was handed to none of those who hear its subject. */
export type Waiting = (subject: string, seq: number) => boolean;

/**
 * Looks at what waits to be handed out. It holds for certain: the stream drops its oldest only, so
 * where the message that was handed out last is here, so is all that was told after it.
 */
export async function lookWaiting(house: House, plans: readonly ConsumerPlan[]): Promise<Waiting> {
  const manager = await jetstreamManager(house.connection, { checkAPI: false });
  const { state } = await manager.streams.info(STREAM.name);
  const handed = await Promise.all(
    plans.map(async (plan) => ({ plan, seq: await handedSeq(manager, plan, state.first_seq) })),
  );
  return (subject, seq) => {
    const hearers = handed.filter(({ plan }) => isHeardBy(subject, plan));
    return hearers.length > 0 && hearers.every((hearer) => seq > hearer.seq);
  };
}

/** Above this index all that this consumer hears waits for it; infinite where nothing does. */
async function handedSeq(
  manager: JetStreamManager,
  { durable }: ConsumerPlan,
  firstSeq: number,
): Promise<number> {
  const nothing = Number.POSITIVE_INFINITY;
  const info = await manager.consumers.info(STREAM.name, durable).catch(absent);
  if (info === undefined || info.num_pending === 0) return nothing;
  const handed = info.delivered.stream_seq;
  const seq = Math.max(handed, firstSeq);
  const message = await manager.streams.getMessage(STREAM.name, { seq });
  if (message === null) return nothing;
  const told = toldSeqOf(message) ?? nothing;
  // Where nothing that is still here was handed out, the first message waits too.
  return handed < firstSeq && message.header.get(TOLD_SEQ) === '' ? told - 1 : told;
}

function isHeardBy(subject: string, { filter }: ConsumerPlan): boolean {
  const tokens = subject.split('.');
  return filter.split('.').every((part, at) => '*>'.includes(part) || part === tokens[at]);
}

function absent(error: unknown): undefined {
  if (error instanceof JetStreamApiError && error.status === 404) return undefined;
  throw error;
}

/** A committed entry on its way to those who hear it. */
export interface Telling {
  readonly subject: string;
  readonly seq: number;
  readonly eventId: string;
  readonly entryHash: string;
  readonly bytes: Uint8Array;
  readonly traceparent?: string | undefined;
  /** Set where it is told again: a number that makes its message id another one. */
  readonly again?: number | undefined;
  /** How far the log was told before, where an older entry is told again: it is no step back. */
  readonly toldSeq?: number | undefined;
}

/** Header of what is told again: where the log's reader goes on, in place of SEQ. */
const TOLD_SEQ = 'Impound-Told-Seq';

/** Publishes one committed entry to the stream; rejects where the stream did not take it. */
export async function tell(
  house: Pick<House, 'connection'> & { readonly service?: string },
  telling: Telling,
): Promise<void> {
  const { service = 'ledger' } = house;
  const [, , , noun, verb] = telling.subject.split('.');
  const name = `publish ${noun}.${verb}`;
  const span = spanFor(telling.traceparent, { service, name, kind: SpanKind.PRODUCER });
  span?.setAttribute(ATTRIBUTE.toldAgain, telling.again !== undefined);
  try {
    await publish(house, telling, contextOf(span, telling.traceparent));
  } finally {
    span?.end();
  }
}

async function publish(
  { connection }: Pick<House, 'connection'>,
  telling: Telling,
  traceparent: string | undefined,
): Promise<void> {
  const carried = headers();
  carried.set(SEQ, String(telling.seq));
  carried.set(ENTRY_HASH, telling.entryHash);
  if (traceparent !== undefined) carried.set('traceparent', traceparent);
  if (telling.again !== undefined) carried.set(TOLD_AGAIN, String(telling.again));
  if (telling.toldSeq !== undefined) carried.set(TOLD_SEQ, String(telling.toldSeq));
  const msgID =
    telling.again === undefined ? telling.eventId : `${telling.eventId}.${telling.again}`;
  await jetstream(connection).publish(telling.subject, telling.bytes, {
    msgID,
    headers: carried,
    timeout: PUBLISH_MS_MAX,
  });
}
