// SPDX-License-Identifier: Apache-2.0
import { Later } from '@impound/runtime/fault.ts';
import { unlessAborted } from '@impound/runtime/wait.ts';
import type { MirrorStore } from '../handlers/mirroring.ts';

/** A bundle is 16 MiB at most; whatever lies under the mirror has tried again by then. */
const FILE_MS_MAX = 120_000;
const AGAIN_MS = 5_000;

/**
 * A mirror whose every file has its time: a directory of another machine can be silent for ever,
 * and nothing ends a read of it. Who stops waits for none.
 */
export function boundedMirror(store: MirrorStore, fileMsMax = FILE_MS_MAX): MirrorStore {
  const bounded = async <T>(
    work: (limit: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> => {
    const time = AbortSignal.timeout(fileMsMax);
    const limit = AbortSignal.any([signal, time]);
    try {
      return await unlessAborted(work(limit), limit);
    } catch (cause) {
      signal.throwIfAborted();
      if (!time.aborted) throw cause;
      const because = `${store.name} has not answered within ${fileMsMax} ms`;
      throw new Later('mirror-away', AGAIN_MS, because, { cause });
    }
  };
  return {
    name: store.name,
    read: (path, signal) => bounded((limit) => store.read(path, limit), signal),
    add: (path, bytes, signal) => bounded((limit) => store.add(path, bytes, limit), signal),
    replace: (path, bytes, signal) => bounded((limit) => store.replace(path, bytes, limit), signal),
  };
}
