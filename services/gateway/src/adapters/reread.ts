// SPDX-License-Identifier: Apache-2.0
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '@impound/runtime/fault.ts';
import type { Log } from '@impound/runtime/log.ts';
import { wait } from '@impound/runtime/wait.ts';

/** What is read from files, as it was last good. */
export interface Reread<T> {
  current(): T;
  /** Why the files are not used as they are now; undefined where all is well. */
  fault(): string | undefined;
}

/** Files that belong together. */
export interface Source<T> {
  /** What they are, in a word for the log. */
  readonly what: string;
  /** Changes whenever one of them does; it never rejects. */
  readonly mark: () => Promise<string>;
  /** Throws where they are no good. */
  readonly read: () => Promise<T>;
  /** Takes what was read anew; where it throws, the files are no good. */
  readonly take?: (next: T) => Promise<void>;
}

const LOOK_MS = 1_000;

/**
 * Reads files now and whenever they are others: what is no good by then leaves the last good in
 * force, loudly. Several files are rarely replaced in one step, so they are read when they have
 * stood still from one look to the next.
 */
export async function reread<T>(
  source: Source<T>,
  log: Pick<Log, 'info' | 'error'>,
  signal: AbortSignal,
): Promise<Reread<T>> {
  let mark = await source.mark();
  let good = await source.read();
  let fault: string | undefined;
  const readAgain = async () => {
    try {
      const next = await source.read();
      await source.take?.(next);
      good = next;
      fault = undefined;
      log.info('files read again', { what: source.what });
    } catch (error) {
      fault = messageOf(error);
      log.error('files damaged, the last good ones stay in force', {
        what: source.what,
        because: fault,
      });
    }
  };
  void (async () => {
    for (let before = mark; !signal.aborted; await wait(LOOK_MS, signal)) {
      const seen = await source.mark();
      if (seen !== mark && seen === before) {
        mark = seen;
        await readAgain();
      }
      before = seen;
    }
  })();
  return { current: () => good, fault: () => fault };
}

/** Tells one state of these files from another; of one that is missing it says that. */
export async function markOf(files: readonly string[]): Promise<string> {
  const marks = files.map((file) =>
    stat(file, { bigint: true }).then(
      ({ ino, size, mtimeNs, ctimeNs }) => [ino, size, mtimeNs, ctimeNs].join('.'),
      () => 'gone',
    ),
  );
  return (await Promise.all(marks)).join(' ');
}

/** Tells one state of a folder's files of one kind from another. */
export async function markOfFolder(folder: string, ending: string): Promise<string> {
  const names = await readdir(folder).catch(() => []);
  const files = names.filter((name) => name.endsWith(ending)).toSorted();
  return [...files, await markOf(files.map((name) => join(folder, name)))].join(' ');
}
