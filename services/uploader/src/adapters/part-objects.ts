// SPDX-License-Identifier: Apache-2.0
import type { EvidenceObject, Retention, StoreKind } from '@impound/contracts/evidence.ts';
import type { ByteRange } from '../domain/byte-range.ts';
import {
  type DirectPut,
  type EvidenceStore,
  type Found,
  type Held,
  type HeldPart,
  type Holding,
  type Part,
  StoreFault,
  type Whole,
} from '../domain/evidence-store.ts';
import { SESSION_MS_MAX, SESSIONS_MAX } from '../domain/limits.ts';
import { keyOf, type ObjectName, type SessionName } from '../domain/object-name.ts';
import { alreadyComplete, isHeld, refuseNumber, refuseParts, sameObject } from '../domain/parts.ts';
import { checkedPart, hashSteadily } from './checked-bytes.ts';
import { abortable, joiner, READINGS_MAX } from './joiner.ts';

/** An object as a store lists it. `sha256` is what its writer said. */
export interface Listed {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string | undefined;
  readonly versionId: string | undefined;
  /** What the store tells the bytes by; absent in lists. */
  readonly fingerprint?: string | undefined;
  readonly touchedMs: number;
}

/** What can be written: length and SHA-256 are known before. */
export type Written = Pick<Part, 'bytes' | 'sha256'>;

/** What a store must be able to do so that parts can be objects until they are joined. */
export interface ObjectPlace {
  readonly kind: StoreKind;
  readonly prefix: string;
  list(prefix: string): Promise<readonly Listed[]>;
  look(name: string): Promise<Listed | undefined>;
  /** Makes an object; false where one of this name stands, which then stays as it is. */
  write(
    name: string,
    of: Written,
    content: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<boolean>;
  /** A request that makes this object where none stands, and does nothing else. */
  sign(name: string, of: Written): Promise<DirectPut>;
  /** Makes an object of others inside the store, unless one of this name stands. */
  join(parts: readonly Listed[], name: string, whole: Written): Promise<void>;
  remove(name: string): Promise<void>;
  read(name: string, versionId: string | undefined, range: ByteRange): AsyncIterable<Uint8Array>;
  retain(name: string, versionId: string | undefined): Promise<Retention>;
  /** A version and its lock, as the store tells them; undefined where it is not there. */
  held(
    name: string,
    versionId: string | undefined,
  ): Promise<Omit<Held, 'topVersionId'> | undefined>;
}

const EMPTY: Written = {
  bytes: 0,
  sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
};
const REMOVED_AT_ONCE = 8;

/**
 * An evidence store where each part is an object that is made once, under sessions/, and the whole
 * is joined of them inside the store. All that is known of an upload is in the store.
 */
export function partObjects(place: ObjectPlace, scope: AsyncDisposableStack): EvidenceStore {
  const closed = new AbortController();
  scope.defer(() => closed.abort());
  const joining = joiner<EvidenceObject>(0);
  const verifying = joiner<Found | undefined>(READINGS_MAX);
  const stat = async (object: ObjectName) =>
    objectOf(place, object, await place.look(objectName(place, object)), closed.signal);
  return {
    kind: place.kind,
    open: (session) => open(place, session),
    holding: async (session) => await holding(place, session, await stat(session)),
    put: (session, part, content, signal) => put(place, { session, part, content }, signal),
    direct: async (session, part) => {
      if (await isThere(place, session, part)) return undefined;
      return await place.sign(partName(place, session, part.number), part);
    },
    complete: (session, whole) =>
      joining([keyOf(session), session.worker, whole.sha256, whole.parts, whole.bytes].join(), () =>
        complete(place, { session, whole, stat }),
      ),
    abandon: (session) => removeAll(place, sessionPrefix(place, session)),
    stat,
    read: (object, range) => place.read(objectName(place, object), undefined, range),
    verify: ({ object, cause }, signal) =>
      abortable(
        verifying([keyOf(object), cause].join(), async () => {
          const found = await place.look(objectName(place, object));
          return found && (await hashed(place, found, closed.signal));
        }),
        signal,
      ),
    retain: ({ object, versionId }) => place.retain(objectName(place, object), versionId),
    inspect: async ({ object, versionId }) => {
      const name = objectName(place, object);
      const held = await place.held(name, versionId);
      return held && { ...held, topVersionId: (await place.look(name))?.versionId };
    },
    sweep: (nowMs) => sweep(place, nowMs - SESSION_MS_MAX),
  };
}

function objectName({ prefix }: ObjectPlace, object: ObjectName): string {
  return `${prefix}objects/${keyOf(object)}`;
}

function acquisitionPrefix({ prefix }: ObjectPlace, of: SessionName): string {
  return `${prefix}sessions/${of.tenant}/${of.acquisitionId}/`;
}

function sessionPrefix(place: ObjectPlace, session: SessionName): string {
  const { set, name, worker } = session;
  return `${acquisitionPrefix(place, session)}${set}~${name}~${worker}/`;
}

/** Number 0 stands for the upload itself. */
function partName(place: ObjectPlace, session: SessionName, number: number): string {
  return `${sessionPrefix(place, session)}${String(number).padStart(5, '0')}`;
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function open(place: ObjectPlace, session: SessionName): Promise<void> {
  const own = partName(place, session, 0);
  const names = (await place.list(acquisitionPrefix(place, session))).map(({ name }) => name);
  if (names.includes(own)) return;
  const uploads = new Set(names.map((name) => name.slice(0, name.lastIndexOf('/'))));
  if (uploads.size >= SESSIONS_MAX) {
    const message = `${SESSIONS_MAX} uploads are unfinished: complete one first`;
    throw new StoreFault('sessions-exhausted', message);
  }
  if ((await place.look(objectName(place, session))) !== undefined) return;
  await place.write(own, EMPTY, nothing(), AbortSignal.any([]));
}

async function partsOf(place: ObjectPlace, session: SessionName): Promise<readonly HeldAs[]> {
  const listed = await place.list(sessionPrefix(place, session));
  return listed
    .filter(({ name }) => /\/\d{5}$/.test(name) && !name.endsWith('/00000'))
    .map((one) => ({ ...one, number: Number(one.name.slice(-5)) }))
    .toSorted((a, b) => a.number - b.number);
}

type HeldAs = Listed & HeldPart;

async function holding(
  place: ObjectPlace,
  session: SessionName,
  completed: EvidenceObject | undefined,
): Promise<Holding> {
  if (completed !== undefined) return { parts: [], completed };
  const parts = await partsOf(place, session);
  return { parts: parts.map(({ number, bytes, sha256 }) => ({ number, bytes, sha256 })) };
}

/** True where this part is held. Throws StoreFault where it may not come any more. */
async function isThere(place: ObjectPlace, session: SessionName, part: Part): Promise<boolean> {
  refuseNumber(part.number);
  const [object, there] = await Promise.all([
    place.look(objectName(place, session)),
    place.look(partName(place, session, part.number)),
  ]);
  if (object !== undefined) throw alreadyComplete();
  return isHeld(there && { ...there, number: part.number, sha256: there.sha256 ?? '' }, part);
}

async function put(
  place: ObjectPlace,
  of: {
    readonly session: SessionName;
    readonly part: Part;
    readonly content: AsyncIterable<Uint8Array>;
  },
  signal: AbortSignal,
): Promise<void> {
  const { session, part } = of;
  const checked = checkedPart(part, of.content);
  if (await isThere(place, session, part)) {
    for await (const _ of checked);
    return;
  }
  const made = await place.write(partName(place, session, part.number), part, checked, signal);
  if (!made && !(await isThere(place, session, part))) {
    throw new StoreFault('store-away', 'the part was dropped meanwhile: send this again');
  }
}

/**
 * The order of writes: object, parts removed. A crash between the two leaves what the same request
 * finds and goes on with.
 */
async function complete(
  place: ObjectPlace,
  of: {
    readonly session: SessionName;
    readonly whole: Whole;
    readonly stat: (object: ObjectName) => Promise<EvidenceObject | undefined>;
  },
): Promise<EvidenceObject> {
  const { session, whole, stat } = of;
  if ((await stat(session)) === undefined) {
    const parts = await partsOf(place, session);
    // Who completes beside us removes the parts once the object stands.
    const made = (await place.look(objectName(place, session))) !== undefined;
    if (!made) {
      refuseParts(parts, whole);
      await place.join(parts, objectName(place, session), whole);
    }
  }
  const same = sameObject(await stat(session), whole);
  await removeAll(place, sessionPrefix(place, session));
  return same;
}

async function removeAll(place: ObjectPlace, prefix: string): Promise<void> {
  // The upload itself goes last: as long as it is there an interrupted removal is found again.
  const listed = (await place.list(prefix)).toReversed();
  for (let at = 0; at < listed.length; at += REMOVED_AT_ONCE) {
    const some = listed.slice(at, at + REMOVED_AT_ONCE);
    await Promise.all(some.map(({ name }) => place.remove(name)));
  }
}

async function sweep(place: ObjectPlace, beforeMs: number): Promise<number> {
  const touched = new Map<string, number>();
  for (const { name, touchedMs } of await place.list(`${place.prefix}sessions/`)) {
    const upload = name.slice(0, name.lastIndexOf('/') + 1);
    touched.set(upload, Math.max(touched.get(upload) ?? 0, touchedMs));
  }
  const old = [...touched].filter(([, lastMs]) => lastMs < beforeMs);
  for (const [upload] of old) await removeAll(place, upload);
  return old.length;
}

/** What a standing object is: as its writer said, or read again where nobody said it. */
async function objectOf(
  place: ObjectPlace,
  object: ObjectName,
  ...[found, signal]: [Listed | undefined, AbortSignal]
): Promise<EvidenceObject | undefined> {
  if (found === undefined) return undefined;
  const sha256 = found.sha256 ?? (await hashed(place, found, signal)).sha256;
  return { name: object.name, key: keyOf(object), bytes: found.bytes, sha256 };
}

async function hashed(place: ObjectPlace, of: Listed, signal: AbortSignal): Promise<Found> {
  const read = (start: number) => place.read(of.name, of.versionId, { start, end: of.bytes });
  const found = await hashSteadily({ bytes: of.bytes, read }, signal);
  return { ...found, versionId: of.versionId, fingerprint: of.fingerprint };
}
