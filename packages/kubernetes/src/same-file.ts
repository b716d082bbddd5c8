// SPDX-License-Identifier: Apache-2.0
import { isSettled, lookAt, type Marked, markOf } from '@impound/runtime/file-mark.ts';

/**
 * Reads a file anew only where it is another one than before, by its inode, size and times; a
 * mounted secret that is rotated is another file. What was made of it stays until then, once the
 * file has stood for a moment. Rejects as `read` does, and keeps nothing of that.
 */
export function whileUnchanged<T>(
  read: (path: string) => Promise<T>,
  look: (path: string) => Marked = lookAt,
): (path: string) => Promise<T> {
  const known = new Map<string, { readonly mark: string; readonly made: T }>();
  const seen = (path: string) => {
    try {
      return look(path);
    } catch {
      return undefined;
    }
  };
  return async (path) => {
    const about = seen(path);
    const mark = about && markOf(about);
    const before = known.get(path);
    if (before !== undefined && before.mark === mark) return before.made;
    const lasts = about !== undefined && isSettled(about);
    const made = await read(path);
    const after = seen(path);
    // Where it was changed while it was read, nobody knows which of the two this is.
    if (mark !== undefined && lasts && after && markOf(after) === mark) {
      known.set(path, { mark, made });
    }
    return made;
  };
}
