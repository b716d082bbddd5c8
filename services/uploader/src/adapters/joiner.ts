// SPDX-License-Identifier: Apache-2.0

/**
 * Long work that several ask for is done once, and goes on when one of them stops waiting. The last
 * `keep` results are remembered, failures never.
 */
export function joiner<T>(keep: number): (key: string, work: () => Promise<T>) => Promise<T> {
  const running = new Map<string, Promise<T>>();
  const kept: string[] = [];
  return (key, work) => {
    const joined = running.get(key);
    if (joined !== undefined) return joined;
    const begun = work();
    running.set(key, begun);
    begun.then(
      () => {
        kept.push(key);
        while (kept.length > keep) running.delete(kept.shift() ?? '');
      },
      () => running.delete(key),
    );
    return begun;
  };
}

/** Results of reading back that are remembered until their message is answered. */
export const READINGS_MAX = 256;

/** Waits for work that goes on when nobody waits for it any more. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  // Where nobody waits for it any more its failure is nobody's.
  work.catch(() => undefined);
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  return await Promise.race([work, promise]).finally(() =>
    signal.removeEventListener('abort', abort),
  );
}
