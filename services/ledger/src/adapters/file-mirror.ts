// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { MirrorStore } from '../handlers/mirroring.ts';

/** A mirror in a directory, such as one that another machine exports. */
export function fileMirror(directory: string): MirrorStore {
  return {
    name: `mirror ${directory}`,
    read: (path) => read(join(directory, path)),
    add: async (path, bytes) => {
      const at = join(directory, path);
      if ((await read(at)) !== undefined) return false;
      await write(at, bytes);
      return true;
    },
    replace: (path, bytes) => write(join(directory, path), bytes),
  };
}

async function read(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function write(path: string, bytes: Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const next = `${path}.${randomBytes(6).toString('hex')}.next`;
  try {
    const file = await open(next, 'wx');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(next, path);
  } finally {
    await rm(next, { force: true });
  }
  const parent = await open(dirname(path), 'r');
  try {
    await parent.sync();
  } finally {
    await parent.close();
  }
}
