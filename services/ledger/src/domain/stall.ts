// SPDX-License-Identifier: Apache-2.0
import { contractOf } from './contracts.ts';

/** The longest pause between two tellings of a chain that does not move, in milliseconds. */
export const STALL_MS_MAX = 300_000;

/**
 * How often a chain was to be told again that has not moved for `ageMs`: first after `stallMs`,
 * then after pauses that double up to STALL_MS_MAX.
 */
export function tellingsBy(ageMs: number, stallMs: number): number {
  let told = 0;
  let at = 0;
  let pause = stallMs;
  while (pause < STALL_MS_MAX && at + pause <= ageMs) {
    at += pause;
    told += 1;
    pause = Math.min(pause * 2, STALL_MS_MAX);
  }
  return pause < STALL_MS_MAX ? told : told + Math.max(0, Math.floor((ageMs - at) / pause));
}

/** Whether a chain whose last entry is from `lastAt` is to be told again between two moments. */
export function isDue(
  lastAt: number,
  between: { readonly from: number; readonly to: number },
  stallMs: number,
): boolean {
  const before = tellingsBy(between.from - lastAt, stallMs);
  return tellingsBy(between.to - lastAt, stallMs) > before;
}

/** What must be known of an entry to see whether something came of it. */
export interface Effect {
  readonly id: string;
  readonly type: string;
  readonly speaker: string;
  readonly cause?: string | undefined;
}

/**
 * The entries of one chain of which nothing has come yet, and the last one in any case. What the
 * ledger itself notes about an event is no answer to it, and what nobody hears needs none.
 */
export function withoutEffect<E extends Effect>(chain: readonly E[]): readonly E[] {
  const answered = new Set(
    chain.flatMap((entry) =>
      entry.cause !== undefined && entry.speaker !== 'ledger' ? [entry.cause] : [],
    ),
  );
  return chain.filter((entry, at) => {
    if (at === chain.length - 1) return true;
    return contractOf(entry.type)?.terminal !== true && !answered.has(entry.id);
  });
}
