// SPDX-License-Identifier: Apache-2.0
import { Later, Never } from '@impound/runtime/fault.ts';
import { backoffMs, wait } from '@impound/runtime/wait.ts';
import { RECORD_MS_MAX } from '../domain/limits.ts';
import { Refusal } from '../domain/problem.ts';

const MAYBE = 'it may have been recorded: repeat it with the same Idempotency-Key';

/** Turns the faults of other services into refusals that a client understands. */
export async function reach<T>(work: Promise<T>): Promise<T> {
  return await work.catch((error: unknown) => {
    if (error instanceof Never) throw new Refusal('refused', error.message);
    if (!(error instanceof Later)) throw error;
    throw new Refusal('unavailable', `${error.message}: try again in a little while`);
  });
}

/**
 * Does something that is to be recorded, within RECORD_MS_MAX whatever happens. Where the time is
 * up nobody knows whether it was recorded, and the refusal says so.
 */
export async function record<T>(
  work: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
  detail = MAYBE,
): Promise<T> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(RECORD_MS_MAX)]);
  const up = Promise.withResolvers<never>();
  const refuse = () => up.reject(new Refusal('unavailable', `the ledger is away; ${detail}`));
  limit.addEventListener('abort', refuse, { once: true });
  const done = work(limit).catch((error: unknown) => {
    if (!limit.aborted || error instanceof Refusal) throw error;
    throw new Refusal('unavailable', `the ledger is away; ${detail}`);
  });
  // Whichever of the two comes second is nobody's.
  for (const promise of [done, up.promise]) promise.catch(() => undefined);
  return await Promise.race([reach(done), up.promise]).finally(() =>
    limit.removeEventListener('abort', refuse),
  );
}

/** Asks again for as long as nobody answers; only the signal ends it. */
export async function patiently<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Later) || signal.aborted) throw error;
      await wait(backoffMs(attempt), signal);
    }
  }
}
