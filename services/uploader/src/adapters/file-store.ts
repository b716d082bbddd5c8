// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { EvidenceObject } from '@impound/contracts/evidence.ts';
import {
  type EvidenceStore,
  type Found,
  type Held,
  type Part,
  StoreFault,
  type Whole,
} from '../domain/evidence-store.ts';
import { CHUNK_BYTES, SESSION_MS_MAX } from '../domain/limits.ts';
import { keyOf, type ObjectName, type SessionName } from '../domain/object-name.ts';
import { alreadyComplete, refuseParts, sameObject } from '../domain/parts.ts';
import { growingPath, grown, ripen } from './file-growing.ts';
import {
  hashFile,
  noteObject,
  objectPath,
  placeObject,
  probe,
  statObject,
  touchedFile,
  writeWhole,
} from './file-object.ts';
import {
  bytesOf,
  dropSession,
  listSessions,
  openSession,
  partsOf,
  putPart,
  sessionPath,
  sweepSessions,
  type Uploads,
} from './file-session.ts';
import { openSpace } from './file-space.ts';
import { makeDirectory, translate } from './file-sync.ts';
import { abortable, joiner, READINGS_MAX } from './joiner.ts';

/** How far a file system's clock may stand behind the clock of a record: it moves by ticks. */
const TICK_MS_MAX = 1_000;

interface Place extends Uploads {
  /** Aborts when the store is closed. */
  readonly closing: AbortSignal;
}

/**
 * Opens a store in a directory, which is made when missing and belongs to one process. An object
 * is a file under objects/<key>, mode 0440, that appears whole and is never replaced.
 */
export async function openFileStore(
  options: { readonly directory: string; readonly bytesMax?: number | undefined },
  scope: AsyncDisposableStack,
): Promise<EvidenceStore> {
  const root = resolve(options.directory);
  await mkdir(root, { recursive: true, mode: 0o700 });
  await probe(root);
  const closed = new AbortController();
  scope.defer(() => closed.abort());
  const place = {
    root,
    space: await openSpace(root, options.bytesMax),
    growings: new Map(),
    closing: closed.signal,
  };
  const joining = joiner<EvidenceObject>(0);
  const verifying = joiner<Found | undefined>(READINGS_MAX);
  return {
    kind: 'file',
    takesLent: true,
    open: (session) => guarded(openSession(root, session)),
    holding: (session) => guarded(holding(place, session)),
    put: (session, part, content, signal) => guarded(put(place, session, part, content, signal)),
    complete: (session, whole) =>
      joining([sessionPath(root, session), whole.sha256, whole.parts, whole.bytes].join(), () =>
        guarded(complete(place, session, whole)),
      ),
    abandon: (session) => guarded(dropSession(sessionPath(root, session), place)),
    stat: (object) => guarded(stat(place, object)),
    read: (object, { start, end }) =>
      createReadStream(objectPath(root, keyOf(object)), {
        start,
        end: end - 1,
        highWaterMark: CHUNK_BYTES,
      }),
    verify: ({ object, cause }, signal) => {
      const path = objectPath(root, keyOf(object));
      const reading = verifying([keyOf(object), cause].join(), () => hashFile(path, closed.signal));
      return abortable(guarded(reading), signal);
    },
    // A directory locks nothing: whoever has the disk can change it.
    retain: async () => ({ mode: 'none' }),
    inspect: ({ object }, storedMs) => guarded(inspect(place, object, storedMs)),
    unfinished: () => guarded(listSessions(root)),
    sweep: (nowMs) => guarded(sweepSessions(place, nowMs - SESSION_MS_MAX)),
  };
}

async function guarded<T>(work: Promise<T>): Promise<T> {
  return await work.catch((error: unknown) => {
    throw translate(error);
  });
}

async function holding({ root }: Place, session: SessionName) {
  const completed = await stat({ root }, session);
  const parts = await partsOf(sessionPath(root, session));
  return completed === undefined ? { parts } : { parts, completed };
}

async function stat(
  { root }: Pick<Place, 'root'>,
  object: ObjectName,
): Promise<EvidenceObject | undefined> {
  const key = keyOf(object);
  const found = await statObject(root, key);
  return found && { name: object.name, key, bytes: found.bytes, sha256: found.sha256 };
}

/** A file that nobody has touched since is not read again: whoever writes moves its ctime. */
async function inspect(
  { root, closing }: Place,
  object: ObjectName,
  storedMs: number,
): Promise<Held | undefined> {
  const path = objectPath(root, keyOf(object));
  const found = await touchedFile(path);
  if (found === undefined) return undefined;
  const read = found.touchedMs > storedMs - TICK_MS_MAX ? await hashFile(path, closing) : undefined;
  const { bytes } = read ?? found;
  return { bytes, sha256: read?.sha256, topVersionId: undefined, retention: { mode: 'none' } };
}

async function put(
  place: Place,
  session: SessionName,
  part: Part,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  if ((await stat(place, session)) !== undefined) {
    throw alreadyComplete();
  }
  signal.throwIfAborted();
  const path = sessionPath(place.root, session);
  await putPart({ ...place, path }, part, content);
}

/**
 * The order of writes: draft, object, note, parts removed. A crash after any of them leaves what
 * the same request finds and goes on with.
 */
async function complete(place: Place, session: SessionName, whole: Whole): Promise<EvidenceObject> {
  const path = sessionPath(place.root, session);
  const standing = await stat(place, session);
  if (standing === undefined) {
    refuseParts(await partsOf(path), whole);
    await makeWhole(place, session, whole);
  }
  const same = sameObject(await stat(place, session), whole);
  await dropSession(path, place);
  return same;
}

/** What has grown becomes the object as it is; other parts are copied together. */
async function makeWhole(place: Place, session: SessionName, whole: Whole): Promise<void> {
  const { root, growings } = place;
  const path = sessionPath(root, session);
  using ready = grown(growings, path, whole);
  if (ready !== undefined) {
    refuseWhole(ready.found, whole);
    await ripen(path, ready.found);
    return await placeWhole(place, { session, draft: growingPath(path) }, whole);
  }
  const draft = join(path, `whole-${randomBytes(8).toString('hex')}`);
  try {
    await makeDirectory(root, path);
    refuseWhole(await writeWhole(draft, bytesOf(path), place.closing), whole);
    await placeWhole(place, { session, draft }, whole);
  } finally {
    await rm(draft, { force: true });
  }
}

async function placeWhole(
  { root, space }: Place,
  { session, draft }: { readonly session: SessionName; readonly draft: string },
  { bytes, sha256 }: Whole,
): Promise<void> {
  const key = keyOf(session);
  if (!(await placeObject(root, draft, key))) return;
  await noteObject(root, key, { bytes, sha256 });
  space.hold(bytes);
}

function refuseWhole(found: Found, whole: Whole): void {
  if (found.bytes === whole.bytes && found.sha256 === whole.sha256) return;
  const message = `the parts together have SHA-256 ${found.sha256}: nothing was stored`;
  throw new StoreFault('object-mismatch', message);
}
