// SPDX-License-Identifier: Apache-2.0
import { IN_HAND_MAX } from './limits.ts';

/** Turns of the event loop that take longer are long: connections and answers wait for them. */
export const ITERATION_MS = 5;
/** From here on the processor is short, and what is begun only makes all the others wait. */
const LONG_ITERATION_MS = 50;
/** So many begin in a turn of the event loop that is long, and one where the processor is short. */
const BEGUN_MAX = 8;
/** So many are in hand also then: whoever waits for the ledger costs no processor time. */
const IN_HAND_MIN = 32;
/** Whoever has waited for so long is told to come again, if so many wait behind. */
const WAIT_MS_MAX = 1_000;
/** Whoever was let in before waits longer: strangers who crowd in are refused before. */
const KNOWN_WAIT_MS_MAX = 3_000;
const BEHIND_MIN = 32;

/** What is known of a request whose turn it could be. */
export interface Queued {
  readonly waitedMs: number;
  /** Whether its sender was let in before. */
  readonly known: boolean;
  /** How many came after it and wait too. */
  readonly behind: number;
  /** Orders and decisions that are worked on. */
  readonly inHand: number;
  /** Whether it would be one of them. */
  readonly orders: boolean;
  /** Requests that were begun in this turn. */
  readonly begun: number;
  /** What the event loop needed to come round. */
  readonly tookMs: number;
}

/** What is begun now is worked on in the turns after: the longer they are, the less may follow. */
function begunMax(tookMs: number): number {
  if (tookMs > LONG_ITERATION_MS) return 1;
  return tookMs > ITERATION_MS ? BEGUN_MAX : Number.POSITIVE_INFINITY;
}

/** Whether a request is begun, waits for the next turn, or is refused so that others are served. */
export function fateOf(it: Queued): 'begin' | 'wait' | 'refuse' {
  const { waitedMs, known, behind, inHand, orders, begun, tookMs } = it;
  const waitMsMax = known ? KNOWN_WAIT_MS_MAX : WAIT_MS_MAX;
  if (orders && inHand >= IN_HAND_MAX) return 'refuse';
  if (waitedMs > waitMsMax && behind >= BEHIND_MIN) return 'refuse';
  if (begun >= begunMax(tookMs)) return 'wait';
  if (orders && inHand >= IN_HAND_MIN && tookMs > LONG_ITERATION_MS) return 'wait';
  return 'begin';
}
