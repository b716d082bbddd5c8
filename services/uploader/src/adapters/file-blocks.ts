// SPDX-License-Identifier: Apache-2.0
import type { FileHandle } from 'node:fs/promises';
import { roomOf } from '@impound/evidence/room.ts';
import { CHUNK_BYTES } from '../domain/limits.ts';

/**
 * Writes content from `at` on in blocks, one being written while the next one is filled, and calls
 * `wrote` with each. Ends with the content, or once it has more than `bytesMax`; gives how many
 * bytes came. The content's chunks may be overwritten when the next one is asked for.
 */
export async function writeBlocks(
  file: FileHandle,
  content: AsyncIterable<Uint8Array>,
  to: {
    readonly at: number;
    readonly bytesMax: number;
    readonly wrote: (block: Uint8Array) => void;
  },
): Promise<number> {
  let [filling, spare] = [roomOf(CHUNK_BYTES), roomOf(CHUNK_BYTES)];
  let came = 0;
  let writing: Promise<unknown> = Promise.resolve();
  const flush = async () => {
    const block = filling.filled();
    await writing;
    // Only now nobody writes from the other one any more.
    [filling, spare] = [spare, filling];
    filling.empty();
    writing = writeAll(file, block, to.at + came - block.length);
    // Awaited by the next flush; until then a rejection must not count as unhandled.
    writing.catch(() => undefined);
    to.wrote(block);
  };
  for await (const chunk of content) {
    if (came + chunk.length > to.bytesMax) return came + chunk.length;
    for (let from = 0; from < chunk.length; ) {
      const piece = chunk.subarray(from, from + CHUNK_BYTES - filling.used());
      filling.put(piece);
      [from, came] = [from + piece.length, came + piece.length];
      if (filling.used() === CHUNK_BYTES) await flush();
    }
  }
  if (filling.used() > 0) await flush();
  await writing;
  return came;
}

async function writeAll(file: FileHandle, block: Buffer, at: number): Promise<void> {
  for (let done = 0; done < block.length; ) {
    const { bytesWritten } = await file.write(block, done, block.length - done, at + done);
    done += bytesWritten;
  }
}

/** The bytes of a file from `at` on, in blocks that are overwritten when the next is asked for. */
export async function* readBlocks(
  file: FileHandle,
  { at, bytes }: { readonly at: number; readonly bytes: number },
): AsyncGenerator<Uint8Array> {
  const block = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, Math.max(bytes, 1)));
  for (let done = 0; done < bytes; ) {
    const wanted = Math.min(block.length, bytes - done);
    const { bytesRead } = await file.read(block, 0, wanted, at + done);
    if (bytesRead === 0) return;
    done += bytesRead;
    yield block.subarray(0, bytesRead);
  }
}
