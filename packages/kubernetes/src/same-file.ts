// SPDX-License-Identifier: Apache-2.0
import { statSync } from 'node:fs';

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
    const mark = markOf(path);
    const before = known.get(path);
    if (before !== undefined && before.mark === mark) return before.made;
    const made = await read(path);
    // Where it was changed while it was read, nobody knows which of the two this is.
    if (mark !== undefined && mark === markOf(path)) known.set(path, { mark, made });
    return made;
  };
}

/** At once: another thread would have to wake up for what takes some microseconds. */
function markOf(path: string): string | undefined {
  try {
    const found = statSync(path, { bigint: true });
    return [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join();
  } catch {
    return undefined;
  }
}
