// SPDX-License-Identifier: Apache-2.0
import type { Entry } from '@impound/contracts/entry.ts';

/** What the clocks of a speaker and of the ledger may differ by without a word about it. */
const SKEW_SECONDS_MAX = 300;
const MILLISECONDS = 1_000;

/**
 * What the clocks in an entry say that cannot all be right. No fault of the chain: a clock is a
 * word. `before` is when the entry before it says to have been recorded.
 */
export function clockRemarks({ event, recordedAt }: Entry, before: string): readonly string[] {
  const seconds = (Date.parse(event.time) - Date.parse(recordedAt)) / MILLISECONDS;
  const off = Math.abs(seconds) > SKEW_SECONDS_MAX;
  const how = seconds > 0 ? 'before that' : 'after that';
  const skewed = `it says to have happened at ${event.time}, and was recorded ${Math.abs(seconds)} s ${how}`;
  const back = before > recordedAt;
  const stepped = `it was recorded at ${recordedAt}, the entry before it at ${before}: a clock was set back`;
  return [...(off ? [skewed] : []), ...(back ? [stepped] : [])];
}
