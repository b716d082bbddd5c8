// SPDX-License-Identifier: Apache-2.0
import type { ByteSource } from './byte-source.ts';
import type { CollectorContent, ContentEnd } from './records.ts';

const PIECE_BYTES_MAX = 1_048_576;

/** A content that still lies in the stream, and the way to skip what nobody read. */
export interface OpenContent {
  readonly content: CollectorContent;
  drain(): Promise<void>;
}

/** What the target says of a content behind its last byte. */
export interface Claim extends Pick<ContentEnd, 'flags' | 'read'> {
  /** SHA-256 made in the target; undefined where it has no tool for it. */
  readonly claimed: string | undefined;
}

/** Gives `bytes` bytes of the stream; `finish` reads what stands behind them. */
export function streamedContent(
  source: ByteSource,
  bytes: number,
  finish: () => Promise<Claim>,
): OpenContent {
  let left = bytes;
  let claim: Claim | undefined;
  let failed: unknown;

  const piece = async (): Promise<Buffer | undefined> => {
    if (failed !== undefined) throw failed;
    if (claim) return undefined;
    try {
      if (left === 0) {
        claim = await finish();
        return undefined;
      }
      const taken = await source.some(Math.min(left, PIECE_BYTES_MAX));
      left -= taken.length;
      return taken;
    } catch (error) {
      failed = error;
      throw error;
    }
  };
  return {
    content: contentOf(bytes, piece, (sha256) => claim && endOf(sha256, claim)),
    async drain() {
      while ((await piece()) !== undefined);
    },
  };
}

function endOf(sha256: string, { claimed, ...rest }: Claim): ContentEnd {
  const altered = claimed !== undefined && claimed !== sha256;
  return {
    sha256,
    covered: claimed === undefined ? 'none' : 'alone',
    ...(altered ? { fault: 'digest-mismatch' as const } : {}),
    ...rest,
  };
}

/** Gives bytes that are already here. */
export function bufferedContent(
  data: Buffer,
  end: Pick<ContentEnd, 'covered' | 'fault'>,
): CollectorContent {
  return {
    bytes: data.length,
    whole: data,
    async *[Symbol.asyncIterator]() {
      if (data.length > 0) yield data;
    },
    end: (sha256) => ({ sha256, ...end, flags: [], read: data.length }),
  };
}

function contentOf(
  bytes: number,
  piece: () => Promise<Buffer | undefined>,
  ended: (sha256: string) => ContentEnd | undefined,
): CollectorContent {
  return {
    bytes,
    async *[Symbol.asyncIterator]() {
      for (let taken = await piece(); taken !== undefined; taken = await piece()) yield taken;
    },
    end(sha256) {
      const end = ended(sha256);
      if (end) return end;
      throw new Error('the end of a content is known once all of its bytes have been read');
    },
  };
}
