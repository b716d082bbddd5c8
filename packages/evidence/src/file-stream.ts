// SPDX-License-Identifier: Apache-2.0
import { constants, open } from 'node:fs/promises';

const READ_BYTES = 1_024 * 1_024;

/** A file's bytes; opened when they are asked for, never through a link at its end. */
export async function* fileStream(path: string): AsyncGenerator<Uint8Array> {
  // Without O_NONBLOCK a FIFO in the place of a file would be waited for.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags);
  yield* file.createReadStream({ highWaterMark: READ_BYTES });
}
