// SPDX-License-Identifier: Apache-2.0
import { inboxPrefix } from '@impound/contracts/bus-rights.ts';
import { ACK_WAIT_MS, consumerPlan, STREAM } from '@impound/contracts/streams.ts';
import { jetstreamManager } from '@nats-io/jetstream';
import { createInbox, type Msg, type Subscription } from '@nats-io/transport-node';
import { type Delivery, deliveryOf } from './delivery.ts';
import { codeOf, messageOf } from './fault.ts';
import { OTHER_VERSION } from './message.ts';
import { afterOutage } from './outage.ts';
import { HEARTBEAT_MS, newPulls, type Pulls } from './pulls.ts';
import type { House } from './service.ts';
import { unlessAborted, wait } from './wait.ts';

const BUS_AGAIN_MS = 250;
const PROCESSING_AGAIN_MS = 1_000;
const QUIET_MS = 10_000;
const NANOSECONDS = 1_000_000;

/** What is done with one message. What it leaves unsettled is given back. */
export type Processing = (raw: Delivery, signal: AbortSignal) => Promise<void>;

interface Pulling {
  readonly house: House;
  readonly durable: string;
  readonly slots: number;
  readonly process: Processing;
  readonly troubled: (error: unknown) => void;
  /** What is worked on, whichever inbox it came to. */
  readonly running: Set<Promise<void>>;
  /** The pulls of the inbox of now: a slot that gets free is theirs. */
  pulls: Pulls | undefined;
}

/**
 * Pulls from one durable consumer until the house stops, and ends when what was pulled is worked
 * on no more. A stream or consumer that is missing (the bus was lost) is waited for: the ledger
 * lays it again. Never rejects.
 */
export async function pull(
  house: House,
  plan: { readonly type: string; readonly route: string; readonly slots: number },
  process: Processing,
): Promise<void> {
  const { slots } = plan;
  const { stopping } = house;
  const { durable } = consumerPlan(house.service, plan.type, plan.route);
  const troubled = busTrouble(house, durable);
  const running = new Set<Promise<void>>();
  const it: Pulling = { house, durable, slots, process, troubled, running, pulls: undefined };
  while (!stopping.aborted) {
    try {
      const ackWait = await unlessAborted(ackWaitMs(it), stopping);
      await pullUntilTrouble(it, ackWait);
    } catch (error) {
      if (stopping.aborted) break;
      troubled(error);
      await wait(BUS_AGAIN_MS, stopping);
    }
  }
  await Promise.all(it.running);
}

/** What the consumer was laid with, in milliseconds; a ledger may lay it as of now meanwhile. */
async function ackWaitMs({ house, durable }: Pulling): Promise<number> {
  const manager = await jetstreamManager(house.connection, { checkAPI: false });
  const { config } = await manager.consumers.info(STREAM.name, durable);
  return Math.min((config.ack_wait ?? 0) / NANOSECONDS, ACK_WAIT_MS);
}

/**
 * Pulls into one inbox, for as many messages as there are free slots. Resolves soon after the house
 * was asked to stop. Rejects when the bus ends a pull, falls silent, or comes back from an outage:
 * the consumer may be gone then, and a pull from it is heard by nobody and answered by nothing.
 * What arrives after that is worked on all the same.
 */
async function pullUntilTrouble(it: Pulling, ackWait: number): Promise<void> {
  const { connection, service, stopping } = it.house;
  const next = `$JS.API.CONSUMER.MSG.NEXT.${STREAM.name}.${it.durable}`;
  const { promise: over, resolve, reject } = Promise.withResolvers<void>();
  const inbox = createInbox(inboxPrefix(service));
  const pulls = newPulls({
    slots: it.slots,
    busy: () => it.running.size,
    send: (text) => connection.publish(next, text, { reply: inbox }),
    lost: reject,
  });
  it.pulls = pulls;
  const begin = (message: Msg) => {
    const raw = deliveryOf(message, connection);
    const work = processed(it, raw, ackWait)
      .catch(reject)
      .finally(() => {
        it.running.delete(work);
        it.pulls?.more();
      });
    it.running.add(work);
  };
  const subscription = connection.subscribe(inbox, {
    callback: (error, message) => {
      try {
        if (error !== null) throw error;
        if (message.subject === inbox) return pulls.told(message.headers);
        begin(message);
        pulls.came();
      } catch (trouble) {
        reject(trouble);
      }
    },
  });
  using _known = afterOutage(connection, reject);
  const silence = setInterval(pulls.listen, HEARTBEAT_MS);
  const stop = () => resolve();
  stopping.addEventListener('abort', stop, { once: true });
  try {
    if (stopping.aborted) stop();
    else pulls.more();
    await over;
  } finally {
    stopping.removeEventListener('abort', stop);
    clearInterval(silence);
    pulls.end();
    await drained(subscription);
  }
}

const DRAIN_MS_MAX = 500;

/**
 * Ends an inbox so that what the server has sent by then still arrives and can be given back: to
 * unsubscribe alone drops it, and nobody gets it before the bus has waited for its acknowledgement
 * in vain.
 */
async function drained(subscription: Subscription): Promise<void> {
  const over = new AbortController();
  const drain = subscription.drain().catch(() => undefined);
  await Promise.race([drain, wait(DRAIN_MS_MAX, over.signal)]);
  over.abort();
  if (!subscription.isClosed()) subscription.unsubscribe();
}

/** Holds the message while it is worked on, and gives back what was not settled. */
async function processed(it: Pulling, raw: Delivery, ackWait: number): Promise<void> {
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
export function settleUnreadable<T>(house: House, raw: Delivery, read: () => T): T | undefined {
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
