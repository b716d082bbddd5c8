// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from 'node:crypto';
import { link, lstat, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Count, Sha256 } from '@impound/contracts/ids.ts';
import * as z from 'zod';
import type { Found } from '../domain/evidence-store.ts';
import { readBlocks, writeBlocks } from './file-blocks.ts';
import { codeOf, makeDirectory, syncDirectory } from './file-sync.ts';

const READ_ONLY = 0o440;

/** Where an object lies: objects/<key>. */
export function objectPath(root: string, key: string): string {
  return join(root, 'objects', key);
}

/** Reads and hashes a whole file in constant memory; undefined where there is none. */
export async function hashFile(path: string, signal: AbortSignal): Promise<Found | undefined> {
  const hash = createHash('sha256');
  let bytes = 0;
  const file = await open(path, 'r').catch(absent);
  if (file === undefined) return undefined;
  try {
    for await (const block of readBlocks(file, { at: 0, bytes: Number.MAX_SAFE_INTEGER })) {
      signal.throwIfAborted();
      bytes += block.length;
      hash.update(block);
    }
  } finally {
    await file.close();
  }
  return { bytes, sha256: hash.digest('hex') };
}

function absent(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT') throw error;
}

/** Writes content to a new file that only its owner and group can read, and syncs it. */
export async function writeWhole(
  path: string,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<Found> {
  const hash = createHash('sha256');
  const wrote = (block: Uint8Array) => {
    signal.throwIfAborted();
    hash.update(block);
  };
  const file = await open(path, 'wx', READ_ONLY);
  try {
    const bytes = await writeBlocks(file, content, { at: 0, bytesMax: Infinity, wrote });
    await file.sync();
    return { bytes, sha256: hash.digest('hex') };
  } finally {
    await file.close();
  }
}

/** Gives a file its final name; false where that name is taken, which it then stays. */
export async function placeObject(root: string, draft: string, key: string): Promise<boolean> {
  const path = objectPath(root, key);
  await makeDirectory(root, dirname(path));
  try {
    // A link fails where the name is taken; a rename would replace what is there.
    await link(draft, path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
  await syncDirectory(dirname(path));
  return true;
}

/** What a file tells without being read: its size, and when anybody last touched it. */
export async function touchedFile(path: string) {
  const found = await lstat(path).catch(absent);
  return found?.isFile() ? { bytes: found.size, touchedMs: found.ctimeMs } : undefined;
}

const Note = z.object({ bytes: Count, sha256: Sha256 });

/**
 * What an object is, without reading it: a note beside the object saves the work. The note is
 * written after the object, so a crash between the two leaves an object without one; it is then
 * read and noted again here.
 */
export async function statObject(root: string, key: string): Promise<Found | undefined> {
  const found = await lstat(objectPath(root, key)).catch(() => undefined);
  if (found === undefined || !found.isFile()) return undefined;
  const note = await readFile(notePath(root, key), 'utf8').then(noteOf, () => undefined);
  if (note?.bytes === found.size) return note;
  const read = await hashFile(objectPath(root, key), new AbortController().signal);
  if (read !== undefined) await noteObject(root, key, read);
  return read;
}

function noteOf(text: string): Found | undefined {
  try {
    return Note.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Writes down what an object is. */
export async function noteObject(root: string, key: string, found: Found): Promise<void> {
  const path = notePath(root, key);
  await makeDirectory(root, dirname(path));
  const draft = `${path}.${randomBytes(8).toString('hex')}`;
  try {
    // Not synced: one that a power cut has torn is read as none, and made again.
    await writeFile(draft, JSON.stringify(found), { flag: 'wx' });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

function notePath(root: string, key: string): string {
  return join(root, 'notes', `${key}.json`);
}

/** Whether a directory takes files, said at the start instead of with the first evidence. */
export async function probe(root: string): Promise<void> {
  const path = join(root, `.probe-${randomBytes(8).toString('hex')}`);
  const file = await open(path, 'wx');
  await file.close();
  await rm(path);
}
