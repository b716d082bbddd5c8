// SPDX-License-Identifier: Apache-2.0
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EXIT, Exit } from './exit-code.ts';

/** Writes a file that is not there yet; nothing is left of it where that fails. */
export async function save(
  file: string,
  content: AsyncIterable<Uint8Array | string> | Iterable<string>,
  signal: AbortSignal,
): Promise<void> {
  const out = createWriteStream(file, { flags: 'wx', mode: 0o600 });
  try {
    await pipeline(Readable.from(content), out, { signal });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EEXIST')
      throw new Exit(EXIT.failed, `${file} exists: name a new file`, { cause });
    await rm(file, { force: true });
    if (cause instanceof Exit) throw cause;
    throw new Exit(EXIT.failed, `${file} was not written: ${code ?? String(cause)}`, { cause });
  }
}
