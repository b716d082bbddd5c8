// SPDX-License-Identifier: Apache-2.0
import { LedgerOpenV1 } from '@impound/contracts/ask/ledger.open.v1.ts';
import type { Ask } from '@impound/runtime/ask.ts';
import type { Caller } from '../domain/caller.ts';
import { Refusal } from '../domain/problem.ts';
import { rateOf } from '../domain/rate.ts';
import { patiently } from './reach.ts';

/** How much an integration may have going on. What takes something throws Refusal. */
export interface Bounds {
  /** True while nothing of it may begin, by the last count. */
  isFull(caller: Caller): boolean;
  /** Counts one order of this hour. */
  takeOrder(caller: Caller): Promise<void>;
  /** Opens one more, unless as many are open as may be. */
  opening<T>(caller: Caller, open: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

const HOUR_SECONDS = 3_600;
const PAGE = 1_000;
/** A count that left no room stands for so long, which is less than a client is told to wait. */
const FULL_MS = 500;

/** What is known of one integration. */
interface Desk {
  /** As many may begin before the ledger is to count again, while `most` is the bound. */
  room: number;
  most: number;
  /** Until then nothing may begin, and the ledger need not count for each who asks. */
  fullUntilMs: number;
  /** What is on its way to the ledger, and not counted there. */
  readonly opening: Set<Promise<unknown>>;
  turn: Promise<void>;
}

/**
 * The ledger counts what is open, and only when it could matter: after a count of N below the
 * bound, as many may begin before the next one. Several gateways count apart.
 */
export function openBounds({
  ask,
  now,
}: {
  readonly ask: Ask;
  readonly now: () => number;
}): Bounds {
  const orders = rateOf();
  const desks = new Map<string, Desk>();
  const deskOf = (id: string): Desk => {
    const known = desks.get(id);
    if (known !== undefined) return known;
    const none = { room: 0, most: 0, fullUntilMs: 0 };
    const desk = { ...none, opening: new Set<never>(), turn: Promise.resolve() };
    desks.set(id, desk);
    return desk;
  };
  return {
    isFull: ({ integration: { id } }) => {
      const desk = desks.get(id);
      return desk !== undefined && desk.room === 0 && now() < desk.fullUntilMs;
    },
    takeOrder: async ({ integration: { id, limits } }) => {
      const most = limits.ordersPerHour;
      if (orders.take(id, { burst: most, perSecond: most / HOUR_SECONDS }, now())) return;
      throw new Refusal('too-many', `at most ${most} orders an hour for ${id}`);
    },
    opening: async (caller, open, signal) => {
      const desk = deskOf(caller.integration.id);
      // One after the other: two that count at once would both take the last place.
      const turn = desk.turn.then(() => takePlace({ caller, desk, now }, ask, signal));
      desk.turn = turn.catch(() => undefined);
      await turn;
      const opened = open();
      desk.opening.add(opened);
      return await opened.finally(() => desk.opening.delete(opened));
    },
  };
}

/** Why nothing of an integration may begin now. */
export function tooManyOpen({ integration: { id, limits } }: Caller): Refusal {
  const detail = `${limits.openMax} acquisitions of ${id} are open: wait until one ends, or cancel one`;
  return new Refusal('too-many', detail);
}

async function takePlace(
  {
    caller,
    desk,
    now,
  }: { readonly caller: Caller; readonly desk: Desk; readonly now: () => number },
  ask: Ask,
  signal: AbortSignal,
): Promise<void> {
  const most = caller.integration.limits.openMax;
  // Another bound counts at once: what was counted below the old one says nothing of it.
  if (most !== desk.most) Object.assign(desk, { room: 0, most, fullUntilMs: 0 });
  if (desk.room > 0) {
    desk.room -= 1;
    return;
  }
  if (now() < desk.fullUntilMs) throw tooManyOpen(caller);
  await Promise.allSettled([...desk.opening]);
  const open = await patiently(() => counted({ caller, most }, ask, signal), signal);
  if (open >= most) {
    desk.fullUntilMs = now() + FULL_MS;
    throw tooManyOpen(caller);
  }
  desk.room = most - open - 1;
}

async function counted(
  { caller, most }: { readonly caller: Caller; readonly most: number },
  ask: Ask,
  signal: AbortSignal,
): Promise<number> {
  const { tenant, actor } = caller;
  let count = 0;
  let after = -1;
  for (;;) {
    const limit = Math.min(PAGE, most - count);
    const asked = { tenant, actor: actor.id, after, limit };
    const { chains } = await ask(LedgerOpenV1, asked, signal);
    count += chains.length;
    after = chains.at(-1)?.seq ?? after;
    if (chains.length < limit || count >= most) return count;
  }
}
