// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { lstat, open, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileStream } from './file-stream.ts';

/** A file of a bag by its path in it, with slashes. */
export interface BagFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

const ONLY_OWNER = 0o600;

/** Writes and syncs a file that is not there yet, and hashes it on the way. */
export async function writeBagFile(
  at: { readonly directory: string; readonly path: string },
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  signal: AbortSignal,
): Promise<BagFile> {
  const hash = createHash('sha256');
  let bytes = 0;
  await using file = await open(join(at.directory, at.path), 'wx', ONLY_OWNER);
  for await (const chunk of content) {
    signal.throwIfAborted();
    hash.update(chunk);
    bytes += chunk.length;
    await file.writeFile(chunk);
  }
  await file.sync();
  return { path: at.path, bytes, sha256: hash.digest('hex') };
}

/** Hashes a file of a bag. Never follows a link at its end. */
export async function readBagFile(
  at: { readonly directory: string; readonly path: string },
  signal: AbortSignal,
): Promise<BagFile> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of fileStream(join(at.directory, at.path))) {
    signal.throwIfAborted();
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { path: at.path, bytes, sha256: hash.digest('hex') };
}

/** What lies in a bag: files by path, and everything that is neither file nor directory. */
export interface BagListing {
  readonly files: readonly string[];
  readonly refused: readonly string[];
  /** True where there was more than was listed. */
  readonly cut: boolean;
}

/** Lists a directory tree of at most `entriesMax` entries, without following links. */
export async function listBag(
  directory: string,
  entriesMax: number,
  signal: AbortSignal,
): Promise<BagListing> {
  const files: string[] = [];
  const refused: string[] = [];
  let entries = 0;
  for await (const { path, kind } of walk(directory, '')) {
    signal.throwIfAborted();
    entries += 1;
    if (entries > entriesMax) return { files, refused, cut: true };
    if (kind === 'file') files.push(path);
    else if (kind === 'other') refused.push(path);
  }
  return { files: files.toSorted(), refused, cut: false };
}

interface Entry {
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'other';
}

async function* walk(directory: string, within: string): AsyncGenerator<Entry> {
  for await (const { name } of await opendir(join(directory, within))) {
    const path = within === '' ? name : `${within}/${name}`;
    const found = await lstat(join(directory, path));
    if (found.isDirectory()) {
      yield { path, kind: 'directory' };
      yield* walk(directory, path);
    } else {
      yield { path, kind: found.isFile() ? 'file' : 'other' };
    }
  }
}
