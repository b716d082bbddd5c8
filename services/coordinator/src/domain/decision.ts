// SPDX-License-Identifier: Apache-2.0
import type { Acquisition } from '@impound/contracts/chain.ts';
import type { DataOf, EventContract } from '@impound/contracts/event.ts';
import { millisecondsOf } from '@impound/contracts/time.ts';

/** An event to be said. */
export interface Decided<C extends EventContract = EventContract> {
  readonly contract: C;
  readonly data: DataOf<C>;
}

/**
 * What follows from a chain: one event to say now, or the moment (Unix milliseconds) at which time
 * alone may change the answer. Neither: nothing will ever follow.
 */
export interface Decision {
  readonly say?: Decided;
  readonly wakeAtMs?: number;
}

/** What decides beside the chain itself. Times are Unix milliseconds. */
export interface Now {
  readonly nowMs: number;
  /** When the holder of this epoch was last heard; undefined: never. */
  lastHeardMs(epoch: number): number | undefined;
  /** When this executor was last heard at any work; undefined: never. */
  executorHeardMs(executor: string): number | undefined;
  /** Older open chains of the same tenant and target, oldest first; only read before the first
   * assignment. */
  readonly others: readonly Acquisition[];
  /** Leaf hash of the chain's last entry. */
  readonly lastEntry: string;
}

/** One rule: undefined where it has nothing to say about this chain. */
export type Rule = (state: Acquisition, now: Now) => Decision | undefined;

/** The decision to say this event now. */
export function decided<C extends EventContract>(contract: C, data: DataOf<C>): Decision {
  return { say: { contract, data } };
}

/** Unix milliseconds of the deadline; one that is no date has passed. */
export function deadlineMs(state: Acquisition): number {
  const at = millisecondsOf(state.request?.deadline ?? '');
  return Number.isNaN(at) ? 0 : at;
}

/** Nothing before this moment, and never later than the deadline. */
export function waitUntil(state: Acquisition, atMs: number): Decision {
  return { wakeAtMs: Math.min(atMs, deadlineMs(state)) };
}
