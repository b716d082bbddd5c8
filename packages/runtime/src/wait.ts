// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';

/** Waits, or ends early (without an error) when the signal aborts. */
export async function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal }).catch(() => undefined);
}

/** The wait before attempt n (from 1): doubles up to the most, with full jitter. */
export function backoffMs(attempt: number, firstMs = 100, mostMs = 5_000): number {
  const ceiling = Math.min(mostMs, firstMs * 2 ** Math.min(attempt - 1, 16));
  return Math.ceil(ceiling / 2 + (Math.random() * ceiling) / 2);
}
