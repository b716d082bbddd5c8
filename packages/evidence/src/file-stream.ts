// SPDX-License-Identifier: Apache-2.0
import { constants, open } from 'node:fs/promises';

const READ_BYTES_MAX = 1_024 * 1_024;
const READ_BYTES_MIN = 4_096;

/** A file's bytes; opened when they are asked for, never through a link at its end. */
export async function* fileStream(path: string): AsyncGenerator<Uint8Array> {
  // Without O_NONBLOCK a FIFO in the place of a file would be waited for.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags);
  const { size } = await file.stat();
  // Each read takes a buffer of this size, of which most files of a bag fill a hundredth.
  const highWaterMark = Math.min(Math.max(size, READ_BYTES_MIN), READ_BYTES_MAX);
  yield* file.createReadStream({ highWaterMark });
}
