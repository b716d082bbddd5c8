// SPDX-License-Identifier: Apache-2.0
import { CollectorFault } from './collector/fault.ts';

/** Waits for the target, each time for so long at most, and says when that was not enough. */
export interface Patience {
  /** Aborts once one wait took too long: what is waited for has to end by it. */
  readonly signal: AbortSignal;
  during<T>(work: Promise<T>): Promise<T>;
}

/** Counts only the time in which the target is waited for: a slow store is no silence of it. */
export function patience(msMax: number): Patience {
  const over = new AbortController();
  return {
    signal: over.signal,
    during: async (work) => {
      const timer = setTimeout(() => over.abort(), msMax);
      try {
        return await work;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/** How the bytes of a target are taken. */
export interface Arriving {
  readonly stdout: AsyncIterable<Buffer>;
  readonly patience: Patience;
  /** A target may not send more than this, whatever it calls it. */
  readonly bytesMax: number;
  /** Called with the size of each piece before it is given on. */
  readonly came: (bytes: number) => void;
  /** Called with each piece once the next one is asked for. */
  readonly recycle?: ((piece: Buffer) => void) | undefined;
}

/**
 * The bytes of a run as they come: waited for, counted and bounded. A piece is good until the next
 * one is asked for. Throws CollectorFault.
 */
export async function* arriving(from: Arriving): AsyncGenerator<Buffer> {
  const chunks = from.stdout[Symbol.asyncIterator]();
  let total = 0;
  try {
    for (;;) {
      const { done, value } = await from.patience.during(chunks.next());
      if (done) return;
      total += value.length;
      from.came(value.length);
      if (total > from.bytesMax) {
        const because = `the target sent more than ${from.bytesMax} bytes`;
        throw new CollectorFault('too-large', because, total);
      }
      yield value;
      from.recycle?.(value);
    }
  } finally {
    await chunks.return?.();
  }
}
