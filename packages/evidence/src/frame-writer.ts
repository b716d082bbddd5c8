// SPDX-License-Identifier: Apache-2.0
import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import { FRAME_BYTES } from './limits.ts';
import type { PartWriter } from './part-writer.ts';

/** Room for a frame that did not shrink: its result comes in one piece, without being joined. */
const COMPRESSED_CHUNK_BYTES = FRAME_BYTES + FRAME_BYTES / 64;
const compress = promisify(zstdCompress);

/** Compresses a stream as independent zstd frames. */
export interface FrameWriter {
  write(bytes: Uint8Array): Promise<void>;
  /** Waits until the last frame is with the part writer. */
  end(): Promise<{ readonly frames: number; readonly bytes: number }>;
}

/**
 * Cuts a stream into frames of FRAME_BYTES, each with its content size and a checksum (RFC 8878).
 * One frame is compressed off the main thread while the next one fills.
 */
export function frameWriter(parts: PartWriter, level: number): FrameWriter {
  const params = {
    [constants.ZSTD_c_compressionLevel]: level,
    [constants.ZSTD_c_checksumFlag]: 1,
    [constants.ZSTD_c_contentSizeFlag]: 1,
  };
  let filling = Buffer.allocUnsafeSlow(FRAME_BYTES);
  let spare = Buffer.allocUnsafeSlow(FRAME_BYTES);
  let used = 0;
  let frames = 0;
  let bytesTotal = 0;
  let pending: Promise<void> = Promise.resolve();

  async function compressed(content: Buffer): Promise<void> {
    const options = { params, pledgedSrcSize: content.length, chunkSize: COMPRESSED_CHUNK_BYTES };
    await parts.write(await compress(content, options));
  }

  async function flush(): Promise<void> {
    if (used === 0) return;
    await pending;
    const content = filling.subarray(0, used);
    [filling, spare] = [spare, filling];
    used = 0;
    frames += 1;
    pending = compressed(content);
    // The next flush or end() awaits it; until then a rejection must not count as unhandled.
    pending.catch(() => {});
  }

  async function write(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) {
      const taken = rest.subarray(0, FRAME_BYTES - used);
      filling.set(taken, used);
      used += taken.length;
      bytesTotal += taken.length;
      rest = rest.subarray(taken.length);
      if (used === FRAME_BYTES) await flush();
    }
  }

  async function end(): Promise<{ frames: number; bytes: number }> {
    await flush();
    await pending;
    return { frames, bytes: bytesTotal };
  }

  return { write, end };
}
