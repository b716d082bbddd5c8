// SPDX-License-Identifier: Apache-2.0
import { createHash, hash } from 'node:crypto';
import { EvidenceFault } from './fault.ts';

/** Content of a file: whole in memory, or as it comes. */
export type Content = Uint8Array | AsyncIterable<Uint8Array>;

const CHUNK_BYTES = 1_024 * 1_024;
const ZEROS = Buffer.alloc(64 * 1_024);

/** What came of writing content that was declared with a size. */
export interface ContentResult {
  /** Of the bytes in the tar, padding zeros included. */
  readonly sha256: string;
  /** Bytes that came from the source; the rest up to the declared size is zeros. */
  readonly captured: number;
  /** Set where the source did not give exactly the declared size. */
  readonly fault?: EvidenceFault & {
    readonly code: 'content-short' | 'content-long' | 'content-failed';
  };
}

type Pulled =
  | { readonly got: 'bytes'; readonly bytes: Uint8Array }
  | { readonly got: 'end' }
  | { readonly got: 'failure'; readonly error: unknown };

/**
 * Writes exactly `size` bytes: what is missing is filled with zeros, what is too much is left. A
 * source that fails counts as one that ends; an aborted signal and a failing `write` reject.
 */
export async function writeContent(
  work: {
    readonly content: Content;
    readonly size: number;
    readonly write: (bytes: Uint8Array) => Promise<void>;
  },
  signal: AbortSignal,
): Promise<ContentResult> {
  const { content, size, write } = work;
  if (content instanceof Uint8Array && content.length === size) {
    await write(content);
    return { sha256: hash('sha256', content), captured: size };
  }
  const hashing = createHash('sha256');
  const put = async (bytes: Uint8Array): Promise<void> => {
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      const chunk = bytes.subarray(at, at + CHUNK_BYTES);
      hashing.update(chunk);
      await write(chunk);
    }
  };
  const { captured, last } = await copy({ content, size, put }, signal);
  for (let missing = size - captured; missing > 0; missing -= ZEROS.length) {
    signal.throwIfAborted();
    await put(ZEROS.subarray(0, missing));
  }
  const fault = faultOf(last, captured, size);
  return { sha256: hashing.digest('hex'), captured, ...(fault === undefined ? {} : { fault }) };
}

async function copy(
  work: {
    readonly content: Content;
    readonly size: number;
    readonly put: (bytes: Uint8Array) => Promise<void>;
  },
  signal: AbortSignal,
): Promise<{ captured: number; last: Pulled }> {
  const iterator = iteratorOf(work.content);
  let captured = 0;
  try {
    for (;;) {
      const last = await pull(iterator);
      signal.throwIfAborted();
      if (last.got !== 'bytes') return { captured, last };
      const wanted = last.bytes.subarray(0, work.size - captured);
      await work.put(wanted);
      captured += wanted.length;
      if (wanted.length < last.bytes.length) return { captured, last };
    }
  } finally {
    await iterator.return?.().catch(() => {});
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function iteratorOf(content: Content): AsyncIterator<Uint8Array> {
  return (content instanceof Uint8Array ? once(content) : content)[Symbol.asyncIterator]();
}

async function pull(iterator: AsyncIterator<Uint8Array>): Promise<Pulled> {
  try {
    const { done, value } = await iterator.next();
    return done === true ? { got: 'end' } : { got: 'bytes', bytes: value };
  } catch (error) {
    return { got: 'failure', error };
  }
}

function faultOf(last: Pulled, captured: number, size: number): ContentResult['fault'] {
  const of = `${captured} of ${size} bytes`;
  if (last.got === 'failure') {
    return fault('content-failed', `the source failed after ${of}`, { cause: last.error });
  }
  if (last.got === 'bytes') return fault('content-long', `the source gave more than ${size} bytes`);
  return captured < size ? fault('content-short', `the source ended after ${of}`) : undefined;
}

function fault(
  code: NonNullable<ContentResult['fault']>['code'],
  message: string,
  options?: ErrorOptions,
): NonNullable<ContentResult['fault']> {
  return Object.assign(new EvidenceFault(code, message, options), { code });
}
