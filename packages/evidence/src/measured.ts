// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';

/** A stream that is measured while somebody reads it. */
export interface Measured {
  readonly stream: AsyncIterable<Uint8Array>;
  /** Reads what nobody has read. */
  drain(signal: AbortSignal): Promise<void>;
  /** Lets go of the stream. */
  close(): Promise<void>;
  /** Bytes and SHA-256 of all that was read. Once. */
  result(): { readonly bytes: number; readonly sha256: string };
}

/** Counts and hashes a stream. Its reader may stop anywhere, and `drain` goes on from there. */
export function measured(input: AsyncIterable<Uint8Array>): Measured {
  const iterator = input[Symbol.asyncIterator]();
  const hash = createHash('sha256');
  let bytes = 0;
  const next = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
    const { done, value } = await iterator.next();
    if (done === true) return { done, value: undefined };
    hash.update(value);
    bytes += value.length;
    return { done: false, value };
  };
  return {
    // Without `return`: a reader that breaks off must not end the stream for `drain`.
    stream: { [Symbol.asyncIterator]: () => ({ next }) },
    drain: async (signal) => {
      while ((await next()).done !== true) signal.throwIfAborted();
    },
    close: async () => {
      await iterator.return?.();
    },
    result: () => ({ bytes, sha256: hash.digest('hex') }),
  };
}
