// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay, setImmediate } from 'node:timers/promises';

/** Waits, or ends early (without an error) when the signal aborts. */
export async function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal }).catch(() => undefined);
}

/** Lets go out what was just asked: for what takes the processor for longer than a moment. */
export async function nextTurn(): Promise<void> {
  await setImmediate();
}

/**
 * The promise, given up with the signal's reason as soon as that aborts: for what cannot be ended
 * itself. Its end is then nobody's business.
 */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: given, reject } = Promise.withResolvers<never>();
  const giveUp = () => reject(signal.reason);
  if (signal.aborted) giveUp();
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await Promise.race([given, promise]);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

/**
 * The wait before attempt n (from 1), in milliseconds: doubles up to the most, and a random part
 * of its second half is left out, so that many who wait do not come back at once.
 */
export function backoffMs(attempt: number, firstMs = 100, mostMs = 5_000): number {
  const ceiling = Math.min(mostMs, firstMs * 2 ** Math.min(attempt - 1, 16));
  return Math.ceil(ceiling / 2 + (Math.random() * ceiling) / 2);
}
