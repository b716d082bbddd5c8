// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from 'node:crypto';
import { glob, mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { type Part, StoreFault } from '../domain/evidence-store.ts';
import { SESSIONS_MAX } from '../domain/limits.ts';
import { SessionName } from '../domain/object-name.ts';
import { isHeld, notAsAnnounced, refuseNumber } from '../domain/parts.ts';
import { readBlocks, writeBlocks } from './file-blocks.ts';
import { type Growings, grow, growingPath, nextIn } from './file-growing.ts';
import { bytesUnder, type Space } from './file-space.ts';
import { codeOf, makeDirectory, syncDirectory } from './file-sync.ts';

const ONLY_OWNER = 0o600;

/** What all uploads of one store share. */
export interface Uploads {
  readonly root: string;
  readonly space: Space;
  readonly growings: Growings;
}

/** Where uploads live: sessions/<tenant>/<acquisition>/<set>~<name>~<worker>. */
export function sessionPath(root: string, session: SessionName): string {
  const { tenant, acquisitionId, set, name, worker } = session;
  return join(root, 'sessions', tenant, acquisitionId, [set, name, worker].join('~'));
}

/** The uploads that lie under a root. */
export async function listSessions(root: string): Promise<readonly SessionName[]> {
  const base = join(root, 'sessions');
  const paths = await Array.fromAsync(glob('*/*/*', { cwd: base })).catch(() => []);
  return paths.flatMap((path) => {
    const [tenant, acquisitionId, last = ''] = path.split(sep);
    const [set, name, worker] = last.split('~');
    const read = SessionName.safeParse({ tenant, acquisitionId, set, name, worker });
    return read.success ? [read.data] : [];
  });
}

/** Makes the directory of an upload. Throws StoreFault where the acquisition has too many. */
export async function openSession(root: string, session: SessionName): Promise<void> {
  const path = sessionPath(root, session);
  const beside: string[] = await readdir(join(path, '..')).catch(() => []);
  const there = beside.includes([session.set, session.name, session.worker].join('~'));
  if (!there && beside.length >= SESSIONS_MAX) {
    const message = `${SESSIONS_MAX} uploads are unfinished: complete one first`;
    throw new StoreFault('sessions-exhausted', message);
  }
  await makeDirectory(root, join(path, 'parts'));
}

/** The parts of an upload by number, each a directory <number> around a file <sha256>. */
export async function partsOf(path: string): Promise<Part[]> {
  const lying = await lyingIn(path);
  return lying.map(({ number, bytes, sha256 }) => ({ number, bytes, sha256 }));
}

async function lyingIn(path: string): Promise<Lying[]> {
  const numbers = await readdir(join(path, 'parts')).catch(() => []);
  const parts = await Promise.all(numbers.map((name) => lyingAt(path, Number(name))));
  return parts.filter((part) => part !== undefined).toSorted((a, b) => a.number - b.number);
}

export function partPath(path: string, number: number): string {
  return join(path, 'parts', String(number).padStart(5, '0'));
}

/** A part, the file that has its bytes, and where they begin in it. */
interface Lying extends Part {
  readonly file: string;
  readonly at: number;
}

/** <sha256> is a part by itself, <sha256>@<offset>-<bytes> tells that it lies in what grows. */
const LYING = /^([0-9a-f]{64})(?:@(\d+)-(\d+))?$/;

async function lyingAt(path: string, number: number): Promise<Lying | undefined> {
  const directory = partPath(path, number);
  const [name = ''] = await readdir(directory).catch(() => []);
  const [, sha256, at, bytes] = LYING.exec(name) ?? [];
  if (sha256 === undefined) return undefined;
  if (at !== undefined) {
    return { number, bytes: Number(bytes), sha256, file: growingPath(path), at: Number(at) };
  }
  const file = join(directory, name);
  return { number, bytes: (await stat(file)).size, sha256, file, at: 0 };
}

/**
 * Keeps one part. Its directory is renamed into place with the digest inside, which fails where
 * one stands already: of two writers of one number exactly one wins, in any number of processes.
 */
export async function putPart(
  at: Uploads & { readonly path: string },
  part: Part,
  content: AsyncIterable<Uint8Array>,
): Promise<void> {
  refuseNumber(part.number);
  const { path, space } = at;
  if (await stands(path, part)) {
    for await (const _ of content);
    return;
  }
  await makeDirectory(at.root, join(path, 'parts'));
  space.take(part.bytes);
  const draft = join(path, `draft-${randomBytes(8).toString('hex')}`);
  try {
    await mkdir(draft);
    await using next = await nextIn(at.growings, path, part.number);
    const count = next && (await grow(next, part, content));
    if (next === undefined) await writePart(join(draft, part.sha256), part, content);
    else await writeFile(join(draft, `${part.sha256}@${next.growing.bytes}-${part.bytes}`), '');
    await syncDirectory(draft);
    if (await placed(draft, path, part)) return count?.();
    await rm(draft, { recursive: true, force: true });
    space.give(part.bytes);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    space.give(part.bytes);
    throw error;
  }
}

/** True where the draft became the part, false where the same part stood there already. */
async function placed(draft: string, path: string, part: Part): Promise<boolean> {
  try {
    await rename(draft, partPath(path, part.number));
    await syncDirectory(join(path, 'parts'));
    return true;
  } catch (error) {
    const taken = ['ENOTEMPTY', 'EEXIST'].includes(codeOf(error));
    if (taken && (await stands(path, part))) return false;
    throw error;
  }
}

/** True where this part is there already. Throws StoreFault where another has its number. */
async function stands(path: string, part: Part): Promise<boolean> {
  const there = await lyingAt(path, part.number);
  return isHeld(there, { ...part, bytes: there?.bytes ?? 0 });
}

async function writePart(
  path: string,
  part: Part,
  content: AsyncIterable<Uint8Array>,
): Promise<void> {
  const hash = createHash('sha256');
  const file = await open(path, 'wx', ONLY_OWNER);
  let came = 0;
  try {
    const wrote = (block: Uint8Array) => void hash.update(block);
    came = await writeBlocks(file, content, { at: 0, bytesMax: part.bytes, wrote });
    await file.datasync();
  } finally {
    await file.close();
  }
  if (came === part.bytes && hash.digest('hex') === part.sha256) return;
  throw notAsAnnounced(part.number);
}

/** The bytes of all parts in order, in chunks that are gone when the next is asked for. */
export async function* bytesOf(path: string): AsyncGenerator<Uint8Array> {
  for (const part of await lyingIn(path)) {
    const file = await open(part.file, 'r');
    try {
      yield* readBlocks(file, part);
    } finally {
      await file.close();
    }
  }
}

/** Removes an upload and all that it holds. */
export async function dropSession(
  path: string,
  { space, growings }: Pick<Uploads, 'space' | 'growings'>,
): Promise<void> {
  const bytes = await bytesUnder(path);
  growings.delete(path);
  await rm(path, { recursive: true, force: true });
  space.give(bytes);
}

/** Removes the uploads that nobody touched since `beforeMs`; gives how many. */
export async function sweepSessions(uploads: Uploads, beforeMs: number): Promise<number> {
  const base = join(uploads.root, 'sessions');
  let swept = 0;
  for (const tenant of await readdir(base).catch(() => [])) {
    for (const acquisition of await readdir(join(base, tenant)).catch(() => [])) {
      const here = join(base, tenant, acquisition);
      for (const name of await readdir(here).catch(() => [])) {
        if ((await touchedMs(join(here, name))) >= beforeMs) continue;
        await dropSession(join(here, name), uploads);
        swept += 1;
      }
    }
  }
  return swept;
}

/** When an upload last got or lost a part. */
async function touchedMs(path: string): Promise<number> {
  const found = await Promise.all(
    [path, join(path, 'parts')].map((one) => stat(one).catch(() => undefined)),
  );
  return Math.max(0, ...found.map((one) => one?.mtimeMs ?? 0));
}
