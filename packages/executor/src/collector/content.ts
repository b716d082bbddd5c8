// SPDX-License-Identifier: Apache-2.0
import { createHash, hash } from 'node:crypto';
import type { ByteSource } from './byte-source.ts';
import type { CollectorContent, ContentEnd } from './records.ts';

const PIECE_BYTES_MAX = 1_048_576;

/** A content that still lies in the stream, and the way to skip what nobody read. */
export interface OpenContent {
  readonly content: CollectorContent;
  drain(): Promise<void>;
}

/** Gives `bytes` bytes of the stream; `finish` reads what stands behind them. */
export function streamedContent(
  source: ByteSource,
  bytes: number,
  finish: (sha256: string) => Promise<ContentEnd>,
): OpenContent {
  const hash = createHash('sha256');
  let left = bytes;
  let end: ContentEnd | undefined;
  let failed: unknown;

  const piece = async (): Promise<Buffer | undefined> => {
    if (failed !== undefined) throw failed;
    if (end) return undefined;
    try {
      if (left === 0) {
        end = await finish(hash.digest('hex'));
        return undefined;
      }
      const taken = await source.some(Math.min(left, PIECE_BYTES_MAX));
      left -= taken.length;
      hash.update(taken);
      return taken;
    } catch (error) {
      failed = error;
      throw error;
    }
  };
  return {
    content: contentOf(bytes, piece, () => end),
    async drain() {
      while ((await piece()) !== undefined);
    },
  };
}

/** Gives bytes that are already here. */
export function bufferedContent(
  data: Buffer,
  end: Pick<ContentEnd, 'covered' | 'fault'>,
): CollectorContent {
  let given = data.length === 0;
  let sha256: string | undefined;
  const piece = async () => {
    if (given) return undefined;
    given = true;
    return data;
  };
  const whole: ContentEnd = {
    ...end,
    // Made when it is asked for: a pack has its own digest, and its files are hashed when stored.
    get sha256() {
      sha256 ??= hash('sha256', data);
      return sha256;
    },
    flags: [],
    read: data.length,
  };
  return contentOf(data.length, piece, () => (given ? whole : undefined));
}

function contentOf(
  bytes: number,
  piece: () => Promise<Buffer | undefined>,
  ended: () => ContentEnd | undefined,
): CollectorContent {
  return {
    bytes,
    async *[Symbol.asyncIterator]() {
      for (let taken = await piece(); taken !== undefined; taken = await piece()) yield taken;
    },
    end() {
      const end = ended();
      if (end) return end;
      throw new Error('the end of a content is known once all of its bytes have been read');
    },
  };
}
