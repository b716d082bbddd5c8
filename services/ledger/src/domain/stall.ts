// SPDX-License-Identifier: Apache-2.0
import { PARTIES } from '@impound/contracts/parties.ts';
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

/** They speak when a chain makes it necessary, not to each event that they hear. */
const SPEAK_OF_CHAINS: ReadonlySet<string> = new Set(['coordinator', 'gateway']);
/** Who hears an event only to be ready for a later one. */
const READY_ITSELF: Readonly<Record<string, string>> = {
  'acquisition.requested.v1': 'rbac-checker',
};

/** Who has an answer of its own to events of this type. */
function answerersOf(type: string): readonly string[] {
  const hearers = Object.entries(PARTIES).filter(([, { hears }]) => hears.includes(type));
  return hearers
    .map(([name]) => name)
    .filter((name) => !SPEAK_OF_CHAINS.has(name) && READY_ITSELF[type] !== name);
}

/**
 * The entries of one chain of which not all has come yet, and the last one in any case. What the
 * ledger itself notes about an event is no answer to it, and what nobody hears needs none.
 */
export function withoutEffect<E extends Effect>(chain: readonly E[]): readonly E[] {
  const spoken = chain.filter(({ cause, speaker }) => cause !== undefined && speaker !== 'ledger');
  const answers = Map.groupBy(spoken, ({ cause }) => cause);
  return chain.filter(({ id, type }, at) => {
    if (at === chain.length - 1) return true;
    if (contractOf(type)?.terminal === true) return false;
    const speakers = new Set((answers.get(id) ?? []).map(({ speaker }) => speaker));
    return speakers.size === 0 || answerersOf(type).some((name) => !speakers.has(name));
  });
}
