// SPDX-License-Identifier: Apache-2.0
import { LedgerHeadV1 } from '@impound/contracts/ask/ledger.head.v1.ts';
import { ACKS_PENDING_MAX, DELIVERIES_MAX } from '@impound/contracts/streams.ts';
import { askUntilAnswered } from './ask.ts';
import type { Delivery } from './delivery.ts';
import { ATTEMPTS_MAX, becauseOf, codeOf, Later, messageOf, Never, verdict } from './fault.ts';
import { comesAgain, type HearingOutcome, heard } from './hearing.ts';
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
  // A message that comes again while its handler still works is settled as the first one is.
  const running = new Map<string, Promise<Settled>>();
  const failures = new Map<string, number>();
  const answered = new Set<string>();
  return pull(house, { type: contract.type, route: '*', slots: SLOTS }, async (raw, signal) => {
    const message = settleUnreadable(house, raw, () =>
      readMessage(contract, raw.data, raw.headers),
    );
    if (message === undefined) return;
    const before = running.get(message.id);
    if (before !== undefined) return settle(raw, await before);
    const { promise, resolve } = Promise.withResolvers<Settled>();
    running.set(message.id, promise);
    const isRepeat = comesAgain(raw) || answered.has(message.id);
    const attempt = attemptOf(raw, message);
    const turn = { subscription, deps, house, raw, message, attempt, isRepeat };
    await heard(turn, async () => {
      const settled = await handleOnce(turn, signal);
      count(message.id, settled.outcome === 'again' ? turn.attempt : undefined);
      if (settled.outcome === 'ok') remember(message.id);
      settle(raw, settled);
      resolve(settled);
      return settled.outcome;
    }).finally(() => {
      resolve({ outcome: 'stopped' });
      running.delete(message.id);
    });
  });

  /** Who died or stood still over a message has not tried it: what failed here counts. */
  function attemptOf({ deliveryCount }: Delivery, { id }: Message): number {
    const isLast = deliveryCount >= DELIVERIES_MAX;
    return isLast ? ATTEMPTS_MAX : (failures.get(id) ?? 0) + 1;
  }

  /** A bus that dies may forget that it has handed out a message, and that it was acknowledged. */
  function remember(id: string): void {
    answered.add(id);
    const [oldest] = answered;
    if (oldest !== undefined && answered.size > ACKS_PENDING_MAX) answered.delete(oldest);
  }

  /** What another process has ended is forgotten when there are more than can be under way. */
  function count(id: string, failed: number | undefined): void {
    failures.delete(id);
    if (failed !== undefined) failures.set(id, failed);
    const [oldest] = failures.keys();
    if (oldest !== undefined && failures.size > ACKS_PENDING_MAX) failures.delete(oldest);
  }
}

interface Turn<Deps> {
  // biome-ignore lint/suspicious/noExplicitAny: what it says was checked where it was declared
  readonly subscription: Handling<any, Deps>;
  readonly deps: Deps;
  readonly house: House;
  readonly raw: Delivery;
  readonly message: Message;
  readonly attempt: number;
  readonly isRepeat: boolean;
}

/** How a message ended, and when it is to come again. */
type Settled =
  | { readonly outcome: 'again'; readonly delayMs: number }
  | { readonly outcome: Exclude<HearingOutcome, 'again'> };

function settle(raw: Delivery, settled: Settled): void {
  if (settled.outcome === 'ok') raw.ack();
  else if (settled.outcome === 'again') raw.nak(settled.delayMs);
  else if (settled.outcome === 'given-up') raw.term();
}

async function handleOnce<Deps>(turn: Turn<Deps>, signal: AbortSignal): Promise<Settled> {
  const { subscription, deps, house, message } = turn;
  try {
    if (await answeredAlready(turn, signal)) return { outcome: 'ok' };
    const limited = AbortSignal.any([signal, AbortSignal.timeout(HANDLER_MS_MAX)]);
    const said = await subscription.handle(message, deps, limited);
    // The limit is the handler's: what it has found out waits for the ledger as long as it takes.
    if (said !== undefined) await sayChild(house, message, said, signal);
    return { outcome: 'ok' };
  } catch (error) {
    if (signal.aborted) return { outcome: 'stopped' };
    return await decide(turn, error ?? new Error('nothing was thrown'), signal);
  }
}

/**
 * A message that comes again may have been answered: then its answer stands, and no work is done.
 * Whether it was is worth waiting for: a ledger that is away uses up no attempt.
 */
async function answeredAlready<Deps>(turn: Turn<Deps>, signal: AbortSignal): Promise<boolean> {
  const { subscription, house, message, isRepeat } = turn;
  if (!isRepeat || subscription.otherwise === undefined) return false;
  const { tenant, acquisitionId } = message;
  const causedBy = { id: message.event.id, service: house.service };
  const request = { tenant, acquisitionId, causedBy };
  const head = await askUntilAnswered(house, { question: LedgerHeadV1, request }, signal);
  return head.caused === true || (head.ended && subscription.outlives !== true);
}

async function decide<Deps>(
  turn: Turn<Deps>,
  error: unknown,
  signal: AbortSignal,
): Promise<Settled> {
  const { house, message, attempt } = turn;
  const decided = verdict(error, attempt);
  failed(codeOf(error));
  const fields = { type: message.type, id: message.id, acquisitionId: message.acquisitionId };
  house.log.warn('handler failed', { ...fields, ...decided, because: messageOf(error) });
  if (decided.do === 'nak') return { outcome: 'again', delayMs: decided.delayMs };
  try {
    if (decided.do === 'give-up') await giveUp(turn, { ...decided, error }, signal);
    return { outcome: 'given-up' };
  } catch (fault) {
    if (signal.aborted) return { outcome: 'stopped' };
    house.log.error('giving up was not said', { ...fields, because: messageOf(fault) });
    const once = fault instanceof Later && attempt < ATTEMPTS_MAX;
    return once ? { outcome: 'again', delayMs: fault.delayMs } : { outcome: 'given-up' };
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
