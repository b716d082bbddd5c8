// SPDX-License-Identifier: Apache-2.0
import { ACK_WAIT_MS, consumerPlan, STREAM } from '@impound/contracts/streams.ts';
import { type Consumer, type ConsumerMessages, type JsMsg, jetstream } from '@nats-io/jetstream';
import type { Subscription } from '@nats-io/transport-node';
import { codeOf, messageOf } from './fault.ts';
import { OTHER_VERSION } from './message.ts';
import { afterOutage } from './outage.ts';
import type { House } from './service.ts';
import { unlessAborted, wait } from './wait.ts';

const PULL_MS = 20_000;
const BUS_AGAIN_MS = 250;
const PROCESSING_AGAIN_MS = 1_000;
const QUIET_MS = 10_000;

/** What is done with one message. What it leaves unsettled is given back. */
export type Processing = (raw: JsMsg, signal: AbortSignal) => Promise<void>;

interface Pulling {
  readonly house: House;
  readonly durable: string;
  readonly process: Processing;
  readonly troubled: (error: unknown) => void;
}

/**
 * Pulls from one durable consumer until the house stops. A stream or consumer that is missing (the
 * bus was lost) is waited for: the ledger lays it again. Never rejects.
 */
export async function pull(
  house: House,
  plan: { readonly type: string; readonly route: string; readonly slots: number },
  process: Processing,
): Promise<void> {
  const { durable } = consumerPlan(house.service, plan.type, plan.route);
  const it = { house, durable, process, troubled: busTrouble(house, durable) };
  await Promise.all(Array.from({ length: plan.slots }, () => pullSlot(it)));
}

async function pullSlot(it: Pulling): Promise<void> {
  const { stopping } = it.house;
  let consumer: Consumer | undefined;
  // It may be gone, and then a pull from it is heard by nobody and answered by nothing.
  using _known = afterOutage(it.house.connection, () => {
    consumer = undefined;
  });
  while (!stopping.aborted) {
    try {
      const known = consumer ?? (await unlessAborted(consumerOf(it), stopping));
      consumer = known;
      const raw = await nextMessage(it.house, known);
      if (raw !== undefined) await processed(it, raw, await ackWaitMs(known));
    } catch (error) {
      consumer = undefined;
      if (stopping.aborted) return;
      it.troubled(error);
      await wait(BUS_AGAIN_MS, stopping);
    }
  }
}

async function consumerOf({ house, durable }: Pulling): Promise<Consumer> {
  return await jetstream(house.connection).consumers.get(STREAM.name, durable);
}

/**
 * The next message; undefined where none came, or soon after the house was asked to stop. Rejects
 * when the bus comes back from an outage: it knows nothing of the pull, and where it is not quite
 * ready yet the client would look for its consumer only once more, as late as the pull would end.
 */
async function nextMessage(
  { connection, stopping: signal }: House,
  consumer: Consumer,
): Promise<JsMsg | undefined> {
  const messages = await consumer.fetch({ max_messages: 1, expires: PULL_MS });
  using _pulled = afterOutage(connection, (outage) => messages.stop(outage));
  const over = new AbortController();
  const end = () => void endPull(messages, over.signal);
  signal.addEventListener('abort', end, { once: true });
  try {
    if (signal.aborted) end();
    for await (const message of messages) return message;
    return undefined;
  } finally {
    signal.removeEventListener('abort', end);
    over.abort();
  }
}

const DRAIN_MS_MAX = 500;

/**
 * Ends a pull so that what the server has sent by then still arrives and can be given back: a mere
 * stop drops it, and nobody gets it before the bus has waited for its acknowledgement in vain. The
 * client drains a pull with its whole connection only, so its subscription is drained here.
 */
async function endPull(messages: ConsumerMessages, over: AbortSignal): Promise<void> {
  const { sub } = messages as { readonly sub?: Pick<Subscription, 'drain'> };
  await Promise.race([sub?.drain().catch(() => undefined), wait(DRAIN_MS_MAX, over)]);
  messages.stop();
}

/** What the consumer was laid with, in milliseconds; a ledger may lay it as of now meanwhile. */
async function ackWaitMs(consumer: Consumer): Promise<number> {
  const { config } = await consumer.info(true);
  return Math.min((config.ack_wait ?? 0) / 1_000_000, ACK_WAIT_MS);
}

/** Holds the message while it is worked on, and gives back what was not settled. */
async function processed(it: Pulling, raw: JsMsg, ackWait: number): Promise<void> {
  const { stopping, log } = it.house;
  const held = setInterval(() => raw.working(), Math.max(ackWait / 3, 1));
  try {
    if (!stopping.aborted) await it.process(raw, stopping);
  } catch (error) {
    log.error('message not processed', { durable: it.durable, because: messageOf(error) });
    if (!stopping.aborted) raw.nak(PROCESSING_AGAIN_MS);
  } finally {
    clearInterval(held);
    // Nothing happens where it is settled. Whoever stops leaves it to the next one at once.
    raw.nak();
  }
}

/** Tells that the bus is not ready: seldom, for all slots of a consumer ask at once. */
function busTrouble(house: House, durable: string): (error: unknown) => void {
  let toldAt = Number.NEGATIVE_INFINITY;
  return (error) => {
    const now = performance.now();
    const level = now - toldAt < QUIET_MS ? 'debug' : 'warn';
    if (level === 'warn') toldAt = now;
    house.log[level]('bus not ready', { durable, because: messageOf(error) });
  };
}

/** What cannot be read here never will be: dropped from this consumer; it stays in the ledger. */
export function settleUnreadable<T>(house: House, raw: JsMsg, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const [code, because] = [codeOf(error), messageOf(error)];
    if (code === OTHER_VERSION) house.log.debug('message passed over', { because });
    else house.log.error('message unreadable', { code, because });
    raw.term();
    return undefined;
  }
}
