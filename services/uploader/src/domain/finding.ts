// SPDX-License-Identifier: Apache-2.0
import type { Lock } from './lock.ts';

/** One thing about a store that an operator should know. */
export interface Finding {
  /** stop: evidence would not be safe there, and the uploader does not start. */
  readonly level: 'stop' | 'warn';
  readonly code:
    | 'store-away'
    | 'store-refused'
    | 'store-full'
    | 'no-versions'
    | 'replaceable'
    | 'no-lock'
    | 'lock-in-the-way'
    | 'public-access'
    | 'clock-differs'
    | 'not-known';
  /** What is wrong and what to do, in a sentence. */
  readonly message: string;
}

/** What a place that can lock, or cannot, is worth under the lock that is asked for. */
export function lockFinding(
  place: { readonly can: boolean; readonly lacks: string; readonly kept: string },
  lock: Lock | undefined,
): Finding | undefined {
  const { can, lacks, kept } = place;
  if (can && lock !== undefined) return undefined;
  if (can) {
    const message = `RETENTION_MODE is none: evidence can be deleted by whoever may delete ${kept}`;
    return { level: 'warn', code: 'no-lock', message };
  }
  const message = `${lacks}: make one that has`;
  return lock === undefined
    ? { level: 'warn', code: 'no-lock', message: `${message}, and set RETENTION_MODE` }
    : { level: 'stop', code: 'no-lock', message: `${message}, or set RETENTION_MODE=none` };
}
