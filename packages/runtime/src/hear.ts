// SPDX-License-Identifier: Apache-2.0
import { LedgerHeadV1 } from '@impound/contracts/ask/ledger.head.v1.ts';
import { TOLD_AGAIN } from '@impound/contracts/say.ts';
import { ACK_WAIT_MS, consumerPlan, STREAM } from '@impound/contracts/streams.ts';
import { type Consumer, type JsMsg, jetstream } from '@nats-io/jetstream';
import { codeOf, Later, messageOf, verdict } from './fault.ts';
import { childId } from './ids.ts';
import { type Message, OTHER_VERSION, readMessage } from './message.ts';
import type { Said } from './say.ts';
import type { Handling, House } from './service.ts';
import { traced } from './trace.ts';
import { wait } from './wait.ts';

/** Messages of one event that one process handles at once. */
const SLOTS = 8;
const PULL_MS = 20_000;
const BUS_AGAIN_MS = 250;
const HANDLER_MS_MAX = 120_000;

/** What is done with one message; it settles the message itself and never rejects. */
export type Processing = (raw: JsMsg, signal: AbortSignal) => Promise<void>;

/**
 * Pulls from one durable consumer until the signal aborts. A stream or consumer that is missing
 * (the bus was lost) is waited for: the ledger lays it again.
 */
export async function pull(
  house: House,
  plan: { readonly type: string; readonly route: string; readonly slots: number },
  process: Processing,
): Promise<void> {
  const { durable } = consumerPlan(house.service, plan.type, plan.route);
  const slots = Array.from({ length: plan.slots }, () => pullSlot(house, durable, process));
  await Promise.all(slots);
}

async function pullSlot(house: House, durable: string, process: Processing): Promise<void> {
  const { stopping, log } = house;
  let consumer: Consumer | undefined;
  while (!stopping.aborted) {
    try {
      consumer ??= await jetstream(house.connection).consumers.get(STREAM.name, durable);
      const message = await nextMessage(consumer, stopping);
      if (message !== undefined && !stopping.aborted) await process(message, stopping);
    } catch (error) {
      consumer = undefined;
      if (stopping.aborted) return;
      log.debug('bus not ready', { durable, because: messageOf(error) });
      await wait(BUS_AGAIN_MS, stopping);
    }
  }
}

/** The next message; undefined where none came, or at once when the signal aborts. */
async function nextMessage(consumer: Consumer, signal: AbortSignal): Promise<JsMsg | undefined> {
  const messages = await consumer.fetch({ max_messages: 1, expires: PULL_MS });
  const stop = () => messages.stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (signal.aborted) stop();
    for await (const message of messages) return message;
    return undefined;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Runs handlers: say what they return, and acknowledge only then. */
export function handling<Deps>(
  // biome-ignore lint/suspicious/noExplicitAny: what it says was checked where it was declared
  subscription: Handling<any, Deps>,
  deps: Deps,
  house: House,
): Promise<void> {
  const { contract } = subscription;
  return pull(house, { type: contract.type, route: '*', slots: SLOTS }, async (raw, signal) => {
    const message = settleUnreadable(house, raw, () =>
      readMessage(contract, raw.data, raw.headers),
    );
    if (message === undefined) return;
    const working = setInterval(() => raw.working(), ACK_WAIT_MS / 3);
    try {
      await traced(contract.type, message.event.traceparent, () =>
        handleOnce({ subscription, deps, house, raw, message }, signal),
      );
    } finally {
      clearInterval(working);
    }
  });
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

interface Turn<Deps> {
  // biome-ignore lint/suspicious/noExplicitAny: what it says was checked where it was declared
  readonly subscription: Handling<any, Deps>;
  readonly deps: Deps;
  readonly house: House;
  readonly raw: JsMsg;
  readonly message: Message;
}

async function handleOnce<Deps>(turn: Turn<Deps>, signal: AbortSignal): Promise<void> {
  const { subscription, deps, house, raw, message } = turn;
  const limited = AbortSignal.any([signal, AbortSignal.timeout(HANDLER_MS_MAX)]);
  try {
    if (await answeredAlready(turn, limited)) return void raw.ack();
    const said = await subscription.handle(message, deps, limited);
    if (said !== undefined) await sayChild(house, message, said, limited);
    raw.ack();
  } catch (error) {
    if (!signal.aborted) await settle(turn, error, signal);
  }
}

/**
 * A message that comes again may have been answered: then its answer stands, and no work is done.
 */
async function answeredAlready<Deps>(turn: Turn<Deps>, signal: AbortSignal): Promise<boolean> {
  const { subscription, house, raw, message } = turn;
  const again = raw.info.deliveryCount > 1 || raw.headers?.has(TOLD_AGAIN) === true;
  if (!again || subscription.otherwise === undefined) return false;
  const { tenant, acquisitionId } = message;
  const causedBy = { id: message.event.id, service: house.service };
  const head = await house.ask(LedgerHeadV1, { tenant, acquisitionId, causedBy }, signal);
  return head.caused === true || head.ended;
}

async function settle<Deps>(turn: Turn<Deps>, error: unknown, signal: AbortSignal): Promise<void> {
  const { subscription, house, raw, message } = turn;
  const decided = verdict(error, raw.info.deliveryCount);
  const fields = { type: message.type, id: message.id, acquisitionId: message.acquisitionId };
  house.log.warn('handler failed', { ...fields, ...decided, because: messageOf(error) });
  if (decided.do === 'nak') return raw.nak(decided.delayMs);
  if (decided.do === 'give-up' && subscription.otherwise !== undefined) {
    const fault = { code: decided.code, because: messageOf(error) };
    await sayChild(house, message, subscription.otherwise(message, fault), signal);
  }
  raw.term();
}

/** Says what a message made necessary; its id follows from the cause, so a repeat is harmless. */
export async function sayChild(
  house: House,
  message: Message,
  said: Said,
  signal: AbortSignal,
): Promise<void> {
  const reply = await house.say(
    {
      ...said,
      id: childId(message.id, said.contract.type),
      tenant: message.tenant,
      acquisitionId: message.acquisitionId,
      causeId: message.id,
      traceparent: message.event.traceparent,
    },
    signal,
  );
  if (!reply.ok && reply.refusal === 'conflict') {
    throw new Later('conflict', BUS_AGAIN_MS, reply.because);
  }
  if (!reply.ok) house.log.warn('say refused', { type: message.type, because: reply.because });
}
