// SPDX-License-Identifier: Apache-2.0
import type { Retention } from '@impound/contracts/evidence.ts';

/** How long a verified object must be kept from change. */
export interface Lock {
  readonly mode: 'governance' | 'compliance';
  readonly days: number;
  readonly now: () => number;
}

const DAY_MS = 86_400_000;
/** What a lock may miss of its time: a message that comes again moves no date for a few hours. */
const SLACK_MS = DAY_MS / 4;

/** Until when a lock that is laid now lasts, in whole seconds: stores keep no more. */
export function untilMs({ days, now }: Lock): number {
  return Math.ceil((now() + days * DAY_MS) / 1_000) * 1_000;
}

/** Whether an object is held at least as strictly and, but for some hours, as long. */
export function isEnough(held: Retention, wanted: Lock): boolean {
  if (held.until === undefined || held.mode === 'none') return false;
  if (wanted.mode === 'compliance' && held.mode !== 'compliance') return false;
  return Date.parse(held.until) >= untilMs(wanted) - SLACK_MS;
}
