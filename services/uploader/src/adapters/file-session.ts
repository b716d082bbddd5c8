// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Part, StoreFault } from '../domain/evidence-store.ts';
import { CHUNK_BYTES, SESSIONS_MAX } from '../domain/limits.ts';
import type { SessionName } from '../domain/object-name.ts';
import { isHeld, notAsAnnounced, refuseNumber } from '../domain/parts.ts';
import { bytesUnder, type Space } from './file-space.ts';
import { codeOf, makeDirectory, syncDirectory } from './file-sync.ts';

const ONLY_OWNER = 0o600;

/** Where uploads live: sessions/<tenant>/<acquisition>/<set>~<name>~<worker>. */
export function sessionPath(root: string, session: SessionName): string {
  const { tenant, acquisitionId, set, name, worker } = session;
  return join(root, 'sessions', tenant, acquisitionId, [set, name, worker].join('~'));
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
  const numbers = await readdir(join(path, 'parts')).catch(() => []);
  const parts = await Promise.all(numbers.map((name) => partOf(path, Number(name))));
  return parts.filter((part) => part !== undefined).toSorted((a, b) => a.number - b.number);
}

export function partPath(path: string, number: number): string {
  return join(path, 'parts', String(number).padStart(5, '0'));
}

async function partOf(path: string, number: number): Promise<Part | undefined> {
  const directory = partPath(path, number);
  const [sha256] = await readdir(directory).catch(() => []);
  if (sha256 === undefined) return undefined;
  const { size } = await stat(join(directory, sha256));
  return { number, bytes: size, sha256 };
}

/**
 * Keeps one part. Its directory is renamed into place with the digest inside, which fails where
 * one stands already: of two writers of one number exactly one wins, in any number of processes.
 */
export async function putPart(
  at: { readonly root: string; readonly path: string; readonly space: Space },
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
    await writePart(join(draft, part.sha256), part, content);
    await syncDirectory(draft);
    if (await placed(draft, path, part)) return;
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
  const there = await partOf(path, part.number);
  return isHeld(there, { ...part, bytes: there?.bytes ?? 0 });
}

async function writePart(
  path: string,
  part: Part,
  content: AsyncIterable<Uint8Array>,
): Promise<void> {
  const hash = createHash('sha256');
  let bytes = 0;
  const file = await open(path, 'wx', ONLY_OWNER);
  try {
    for await (const chunk of content) {
      bytes += chunk.length;
      if (bytes > part.bytes) break;
      hash.update(chunk);
      await file.writeFile(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  if (bytes === part.bytes && hash.digest('hex') === part.sha256) return;
  throw notAsAnnounced(part.number);
}

/** The bytes of all parts in order. */
export async function* bytesOf(path: string, parts: readonly Part[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    const file = join(partPath(path, part.number), part.sha256);
    yield* createReadStream(file, { highWaterMark: CHUNK_BYTES });
  }
}

/** Removes an upload and all that it holds. */
export async function dropSession(path: string, space: Space): Promise<void> {
  const bytes = await bytesUnder(path);
  await rm(path, { recursive: true, force: true });
  space.give(bytes);
}

/** Removes the uploads that nobody touched since `beforeMs`; gives how many. */
export async function sweepSessions(root: string, space: Space, beforeMs: number): Promise<number> {
  const base = join(root, 'sessions');
  let swept = 0;
  for (const tenant of await readdir(base).catch(() => [])) {
    for (const acquisition of await readdir(join(base, tenant)).catch(() => [])) {
      const here = join(base, tenant, acquisition);
      for (const name of await readdir(here).catch(() => [])) {
        if ((await touchedMs(join(here, name))) >= beforeMs) continue;
        await dropSession(join(here, name), space);
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
