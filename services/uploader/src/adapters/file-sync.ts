// SPDX-License-Identifier: Apache-2.0
import { mkdir, open } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { StoreFault } from '../domain/evidence-store.ts';

const ONLY_OWNER = 0o700;

/** Makes a directory under `root`, which is there, so that it outlives a power cut. */
export async function makeDirectory(root: string, path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: ONLY_OWNER });
  if (first === undefined) return;
  let at = root;
  for (const step of relative(root, dirname(path)).split(sep).filter(Boolean)) {
    await syncDirectory(at);
    at = join(at, step);
  }
  await syncDirectory(at);
}

/** Makes the names in a directory outlive a power cut. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** The code of a system error; '' for anything else. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Says of a disk without room that the store is full; other errors pass as they are. */
export function translate(error: unknown): unknown {
  if (!['ENOSPC', 'EDQUOT', 'EFBIG'].includes(codeOf(error))) return error;
  const message = 'the disk of the evidence store is full: make room, then send this again';
  return new StoreFault('store-full', message, { cause: error });
}
