// SPDX-License-Identifier: Apache-2.0
import { constants, createZstdCompress } from 'node:zlib';
import { FRAME_BYTES } from './limits.ts';
import type { PartWriter } from './part-writer.ts';
import { roomOf } from './room.ts';

/** Compressed bytes come in pieces of this size: small ones are given back soon. */
const PIECE_BYTES = 128 * 1_024;

/** Compresses a stream as independent zstd frames. */
export interface FrameWriter {
  write(bytes: Uint8Array): Promise<void>;
  /** Waits until the last frame is with the part writer. */
  end(): Promise<{ readonly frames: number; readonly bytes: number }>;
  /** Gives the memory back; nothing can be written any more. */
  close(): void;
}

/**
 * Cuts a stream into frames of FRAME_BYTES, each with its content size and a checksum (RFC 8878).
 * One frame is compressed off the main thread while the next one fills; all of them by one
 * compressor, whose memory is what a frame costs.
 */
export function frameWriter(parts: PartWriter, level: number): FrameWriter {
  const compressed = compressor(parts, level);
  let [filling, spare] = [roomOf(FRAME_BYTES), roomOf(FRAME_BYTES)];
  let frames = 0;
  let bytesTotal = 0;
  let pending: Promise<void> = Promise.resolve();

  async function flush(): Promise<void> {
    if (filling.used() === 0) return;
    await pending;
    const content = filling.filled();
    [filling, spare] = [spare, filling];
    filling.empty();
    frames += 1;
    pending = compressed.frame(content);
    // The next flush or end() awaits it; until then a rejection must not count as unhandled.
    pending.catch(() => {});
  }

  async function write(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) {
      const taken = rest.subarray(0, FRAME_BYTES - filling.used());
      filling.put(taken);
      bytesTotal += taken.length;
      rest = rest.subarray(taken.length);
      if (filling.used() === FRAME_BYTES) await flush();
    }
  }

  async function end(): Promise<{ frames: number; bytes: number }> {
    await flush();
    await pending;
    return { frames, bytes: bytesTotal };
  }

  return { write, end, close: compressed.close };
}

/** Makes each content that it is given a frame of its own, and adds it to the parts as it comes. */
function compressor(parts: PartWriter, level: number) {
  const stream = createZstdCompress({
    params: {
      [constants.ZSTD_c_compressionLevel]: level,
      [constants.ZSTD_c_checksumFlag]: 1,
      [constants.ZSTD_c_contentSizeFlag]: 1,
    },
    // Every write is a whole frame: that is how its header can tell the size of its content.
    flush: constants.ZSTD_e_end,
    chunkSize: PIECE_BYTES,
  });
  stream.on('data', (piece: Buffer) => {
    parts.add(piece);
    giveBack(piece);
  });
  // Whoever waits for a frame is told by its write.
  stream.on('error', () => {});

  async function frame(content: Uint8Array): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    stream.write(content, (error) => (error ? reject(error) : resolve()));
    await promise;
    while (stream.read() !== null);
    await parts.settle();
  }

  return { frame, close: () => void stream.destroy() };
}

/**
 * Frees the memory of a piece at once, where it is the last one that lies there: such buffers, left
 * to the garbage collector, make it look through the whole heap all the time.
 */
function giveBack({ buffer, byteOffset, byteLength }: Buffer): void {
  const isLast = byteLength > 0 && byteOffset + byteLength === buffer.byteLength;
  if (isLast && buffer instanceof ArrayBuffer) buffer.transfer(0);
}
