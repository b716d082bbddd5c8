// SPDX-License-Identifier: Apache-2.0
import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Found, Part, Whole } from '../domain/evidence-store.ts';
import { notAsAnnounced } from '../domain/parts.ts';
import { writeBlocks } from './file-blocks.ts';
import { codeOf } from './file-sync.ts';

const ONLY_OWNER = 0o600;
const READ_ONLY = 0o440;

/**
 * The parts 1 to `parts` of an upload, one behind the other in one file that becomes the object as
 * it is: nothing is copied or hashed again when the last one has come. What this process does not
 * remember of it any more is read from the disk, like parts that came in another order.
 */
export interface Growing {
  /** SHA-256 over all its bytes so far. */
  hash: Hash;
  bytes: number;
  parts: number;
  /** One at a time writes to it, or makes it the object. */
  busy: boolean;
  made: boolean;
}

/** What grows, by the directory of its upload. */
export type Growings = Map<string, Growing>;

/** Where the parts of an upload lie that came in order. */
export function growingPath(path: string): string {
  return join(path, 'whole');
}

/** The file in which this part comes next; undefined where it has to lie by itself. */
export async function nextIn(
  growings: Growings,
  path: string,
  number: number,
): Promise<
  (AsyncDisposable & { readonly file: FileHandle; readonly growing: Growing }) | undefined
> {
  const growing = growings.get(path) ?? (number === 1 ? begun() : undefined);
  if (growing === undefined || growing.busy || growing.parts !== number - 1) return undefined;
  growing.busy = true;
  growings.set(path, growing);
  try {
    // What an earlier process left there is not known well enough to go on with.
    const file = await open(growingPath(path), growing.made ? 'r+' : 'wx', ONLY_OWNER);
    growing.made = true;
    const release = async () => {
      await file.close();
      if (growing.parts === 0) await rm(growingPath(path), { force: true });
      growing.made = growing.parts > 0;
      growing.busy = false;
    };
    return { file, growing, [Symbol.asyncDispose]: release };
  } catch (error) {
    growing.busy = false;
    if (codeOf(error) === 'EEXIST') return undefined;
    throw error;
  }
}

function begun(): Growing {
  return { hash: createHash('sha256'), bytes: 0, parts: 0, busy: false, made: false };
}

/** Writes a part behind the others and syncs it; gives what makes it count. Throws StoreFault. */
export async function grow(
  { file, growing }: { readonly file: FileHandle; readonly growing: Growing },
  part: Part,
  content: AsyncIterable<Uint8Array>,
): Promise<() => void> {
  const own = createHash('sha256');
  const hash = growing.hash.copy();
  const wrote = (block: Uint8Array) => {
    own.update(block);
    hash.update(block);
  };
  const to = { at: growing.bytes, bytesMax: part.bytes, wrote };
  const came = await writeBlocks(file, content, to);
  if (came !== part.bytes || own.digest('hex') !== part.sha256) throw notAsAnnounced(part.number);
  await file.datasync();
  return () => {
    Object.assign(growing, { hash, bytes: growing.bytes + came, parts: part.number });
  };
}

/** The object in the making, where all of it has grown; nobody adds to it until it is disposed. */
export function grown(
  growings: Growings,
  path: string,
  whole: Whole,
): (Disposable & { readonly found: Found }) | undefined {
  const growing = growings.get(path);
  if (growing === undefined || growing.busy) return undefined;
  if (growing.parts !== whole.parts || growing.bytes !== whole.bytes) return undefined;
  growing.busy = true;
  const release = () => {
    growing.busy = false;
  };
  const found = { bytes: growing.bytes, sha256: growing.hash.copy().digest('hex') };
  return { found, [Symbol.dispose]: release };
}

/** Cuts off what came of a part that failed, and lets nobody write to the file any more. */
export async function ripen(path: string, { bytes }: Found): Promise<void> {
  const file = await open(growingPath(path), 'r+');
  try {
    await file.truncate(bytes);
    await file.chmod(READ_ONLY);
    await file.sync();
  } finally {
    await file.close();
  }
}
