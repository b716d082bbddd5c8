// SPDX-License-Identifier: Apache-2.0
import { link, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { EvidenceFault } from './fault.ts';
import type { EvidenceSink, ObjectSink, StoredRef } from './sink.ts';

const NAME = /^[a-z0-9][a-z0-9.-]{0,63}$/;
const ONLY_OWNER = 0o600;

/**
 * Stores objects as files of a directory that exists. A file appears under its name when it is
 * complete and synced, and never replaces another. Throws EvidenceFault `object-exists`.
 */
export function directorySink(directory: string): EvidenceSink {
  return {
    object: async (name, signal) => {
      signal.throwIfAborted();
      if (!NAME.test(name)) throw new EvidenceFault('path-refused', 'no name for an object');
      return await fileSink(join(directory, name), name);
    },
  };
}

async function fileSink(path: string, name: string): Promise<ObjectSink> {
  const partial = `${path}.partial`;
  const file = await open(partial, 'wx', ONLY_OWNER).catch(taken(name));
  let written = 0;

  async function part(bytes: Uint8Array): Promise<void> {
    await file.writeFile(bytes);
    written += bytes.length;
  }

  async function complete(whole: { bytes: number; sha256Hex: string }): Promise<StoredRef> {
    if (written !== whole.bytes) {
      const message = `${name}: ${written} bytes were written of ${whole.bytes}`;
      throw new EvidenceFault('object-mismatch', message);
    }
    await file.sync();
    await file.close();
    // A link fails where the name is taken, a rename would replace it.
    await link(partial, path).catch(taken(name));
    await unlink(partial);
    return { name, bytes: whole.bytes, sha256: whole.sha256Hex };
  }

  async function abort(): Promise<void> {
    await file.close().catch(() => {});
    await unlink(partial).catch(() => {});
  }

  return { part, complete, abort };
}

function taken(name: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'EEXIST') throw error;
    const message = `${name} is there already: evidence is never replaced, take another directory`;
    throw new EvidenceFault('object-exists', message, { cause: error });
  };
}
