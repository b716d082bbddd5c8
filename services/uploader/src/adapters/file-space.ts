// SPDX-License-Identifier: Apache-2.0
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreFault } from '../domain/evidence-store.ts';

/** Counts what the store holds against what it may hold. */
export interface Space {
  /** Throws StoreFault 'store-full' where there is no room. */
  take(bytes: number): void;
  /** Counts what is there already, whatever the limit. */
  hold(bytes: number): void;
  give(bytes: number): void;
}

/** Counts a directory once and what changes from then on; without a limit nothing is counted. */
export async function openSpace(root: string, bytesMax: number | undefined): Promise<Space> {
  if (bytesMax === undefined) return { take: () => {}, hold: () => {}, give: () => {} };
  let used = await bytesUnder(root);
  return {
    take: (bytes) => {
      if (used + bytes > bytesMax) {
        const message = `the store may hold ${bytesMax} bytes: make room, then send this again`;
        throw new StoreFault('store-full', message);
      }
      used += bytes;
    },
    hold: (bytes) => {
      used += bytes;
    },
    give: (bytes) => {
      used = Math.max(0, used - bytes);
    },
  };
}

/** Bytes of all files under a directory; 0 where there is none. */
export async function bytesUnder(path: string): Promise<number> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  let bytes = 0;
  for (const entry of entries) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) bytes += await bytesUnder(child);
    else
      bytes += await stat(child).then(
        (found) => found.size,
        () => 0,
      );
  }
  return bytes;
}
