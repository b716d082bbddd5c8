// SPDX-License-Identifier: Apache-2.0
import { stat } from 'node:fs/promises';

/**
 * Reads a file anew only where it is another one than before, by its inode, size and times; a
 * mounted secret that is rotated is another file. What was made of it stays until then. Rejects as
 * `read` does, and keeps nothing of that.
 */
export function whileUnchanged<T>(
  read: (path: string) => Promise<T>,
): (path: string) => Promise<T> {
  const known = new Map<string, { readonly mark: string; readonly made: T }>();
  return async (path) => {
    const mark = await markOf(path);
    const before = known.get(path);
    if (before !== undefined && before.mark === mark) return before.made;
    const made = await read(path);
    // Where it was changed while it was read, nobody knows which of the two this is.
    if (mark !== undefined && mark === (await markOf(path))) known.set(path, { mark, made });
    return made;
  };
}

async function markOf(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  return found && [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join();
}
