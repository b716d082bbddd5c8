// SPDX-License-Identifier: Apache-2.0
import { LedgerHeadV1 } from '@impound/contracts/ask/ledger.head.v1.ts';
import type { JsMsg } from '@nats-io/jetstream';
import { askUntilAnswered } from './ask.ts';
import { ATTEMPTS_MAX, becauseOf, codeOf, Later, messageOf, Never, verdict } from './fault.ts';
import { type HearingOutcome, heard, isToldAgain } from './hearing.ts';
import { childId } from './ids.ts';
import { type Message, readMessage } from './message.ts';
import { pull, settleUnreadable } from './pull.ts';
import type { Said } from './say.ts';
import type { Handling, House } from './service.ts';
import { failed } from './span.ts';
import { sayStated } from './statement.ts';

/** Messages of one event that one process handles at once. */
const SLOTS = 8;
const CONFLICT_AGAIN_MS = 250;
const HANDLER_MS_MAX = 120_000;

/** Runs handlers: say what they return, and acknowledge only then. */
export function handling<Deps>(
  // biome-ignore lint/suspicious/noExplicitAny: what it says was checked where it was declared
  subscription: Handling<any, Deps>,
  deps: Deps,
  house: House,
): Promise<void> {
  const { contract } = subscription;
  // A message that comes again while its handler still works waits for that, and finds the answer.
  const running = new Map<string, Promise<void>>();
  return pull(house, { type: contract.type, route: '*', slots: SLOTS }, async (raw, signal) => {
    const message = settleUnreadable(house, raw, () =>
      readMessage(contract, raw.data, raw.headers),
    );
    if (message === undefined) return;
    const before = running.get(message.id);
    const turn = { subscription, deps, house, raw, message, again: before !== undefined };
    const work = heard(turn, async () => {
      await before;
      return await handleOnce(turn, signal);
    }).finally(() => {
      if (running.get(message.id) === work) running.delete(message.id);
    });
    running.set(message.id, work);
    await work;
  });
}

interface Turn<Deps> {
  // biome-ignore lint/suspicious/noExplicitAny: what it says was checked where it was declared
  readonly subscription: Handling<any, Deps>;
  readonly deps: Deps;
  readonly house: House;
  readonly raw: JsMsg;
  readonly message: Message;
  /** True where the same message was being handled when this one came. */
  readonly again: boolean;
}

async function handleOnce<Deps>(turn: Turn<Deps>, signal: AbortSignal): Promise<HearingOutcome> {
  const { subscription, deps, house, raw, message } = turn;
  try {
    if (await answeredAlready(turn, signal)) {
      raw.ack();
      return 'ok';
    }
    const limited = AbortSignal.any([signal, AbortSignal.timeout(HANDLER_MS_MAX)]);
    const said = await subscription.handle(message, deps, limited);
    // The limit is the handler's: what it has found out waits for the ledger as long as it takes.
    if (said !== undefined) await sayChild(house, message, said, signal);
    raw.ack();
    return 'ok';
  } catch (error) {
    if (signal.aborted) return 'stopped';
    return await settle(turn, error ?? new Error('nothing was thrown'), signal);
  }
}

/**
 * A message that comes again may have been answered: then its answer stands, and no work is done.
 * Whether it was is worth waiting for: a ledger that is away uses up no attempt.
 */
async function answeredAlready<Deps>(turn: Turn<Deps>, signal: AbortSignal): Promise<boolean> {
  const { subscription, house, raw, message } = turn;
  const comesAgain = raw.info.deliveryCount > 1 || isToldAgain(raw);
  const again = turn.again || comesAgain;
  if (!again || subscription.otherwise === undefined) return false;
  const { tenant, acquisitionId } = message;
  const causedBy = { id: message.event.id, service: house.service };
  const request = { tenant, acquisitionId, causedBy };
  const head = await askUntilAnswered(house, { question: LedgerHeadV1, request }, signal);
  return head.caused === true || (head.ended && subscription.outlives !== true);
}

async function settle<Deps>(
  turn: Turn<Deps>,
  error: unknown,
  signal: AbortSignal,
): Promise<HearingOutcome> {
  const { house, raw, message } = turn;
  const decided = verdict(error, raw.info.deliveryCount);
  failed(codeOf(error));
  const fields = { type: message.type, id: message.id, acquisitionId: message.acquisitionId };
  house.log.warn('handler failed', { ...fields, ...decided, because: messageOf(error) });
  if (decided.do === 'nak') {
    raw.nak(decided.delayMs);
    return 'again';
  }
  try {
    if (decided.do === 'give-up') await giveUp(turn, { ...decided, error }, signal);
    raw.term();
    return 'given-up';
  } catch (fault) {
    if (signal.aborted) return 'stopped';
    house.log.error('giving up was not said', { ...fields, because: messageOf(fault) });
    const once = fault instanceof Later && raw.info.deliveryCount < ATTEMPTS_MAX;
    if (once) raw.nak(fault.delayMs);
    else raw.term();
    return once ? 'again' : 'given-up';
  }
}

async function giveUp<Deps>(
  turn: Turn<Deps>,
  { code, error }: { readonly code: string; readonly error: unknown },
  signal: AbortSignal,
): Promise<void> {
  const { subscription, house, message } = turn;
  const said = subscription.otherwise?.(message, { code, because: becauseOf(error) });
  if (said !== undefined) await sayChild(house, message, said, signal);
}

/**
 * Says what a message made necessary; its id follows from the cause, so a repeat is harmless.
 * Throws Later where the chain is elsewhere, Never where the ledger refuses.
 */
async function sayChild(
  house: House,
  message: Message,
  said: Said,
  signal: AbortSignal,
): Promise<void> {
  const saying = {
    ...said,
    id: childId(message.id, said.contract.type),
    tenant: message.tenant,
    acquisitionId: message.acquisitionId,
    causeId: message.id,
    causeHash: message.entryHash,
    traceparent: message.event.traceparent,
  };
  const reply = await sayStated(house, saying, signal);
  if (reply.ok) return;
  if (reply.refusal === 'conflict') throw new Later('conflict', CONFLICT_AGAIN_MS, reply.because);
  throw new Never(reply.refusal, `${said.contract.type} was refused: ${reply.because}`);
}
