// SPDX-License-Identifier: Apache-2.0

import { Readable } from 'node:stream';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { Bucket } from '@impound/bucket/s3-bucket.ts';
import type { EvidenceObject } from '@impound/contracts/evidence.ts';
import {
  type DirectPut,
  type EvidenceStore,
  type Found,
  type Holding,
  type Part,
  StoreFault,
  type Whole,
} from '../domain/evidence-store.ts';
import { DIRECT_URL_SECONDS } from '../domain/limits.ts';
import type { Lock } from '../domain/lock.ts';
import { keyOf, type ObjectName, type SessionName } from '../domain/object-name.ts';
import { alreadyComplete, isHeld, refuseNumber, refuseParts, sameObject } from '../domain/parts.ts';
import { checkedPart, hashSteadily } from './checked-bytes.ts';
import { abortable, joiner, READINGS_MAX } from './joiner.ts';
import { asked, base64Of } from './s3-client.ts';
import {
  fingerprintOf,
  heldVersion,
  join,
  lockVersion,
  noteVersion,
  readNote,
  readVersion,
  type Standing,
  standing,
  write,
} from './s3-object.ts';
import {
  beginUpload,
  dropUpload,
  findUpload,
  listParts,
  lookAt,
  objectKey,
  sweepUploads,
  type Upload,
} from './s3-upload.ts';
import { sessionCache } from './session-cache.ts';

interface Place {
  readonly bucket: Bucket;
  readonly versioned: boolean;
  /** What was looked up lately; the bucket is the truth. */
  readonly known: ReturnType<typeof sessionCache<Upload>>;
  readonly closing: AbortSignal;
}

/**
 * An evidence store in an S3 bucket. An upload is a multipart upload; everything that is known of
 * it is in the bucket, so any number of processes may serve it.
 */
export function s3Store(
  of: {
    readonly bucket: Bucket;
    readonly versioned: boolean;
    readonly lock: Lock | undefined;
  },
  scope: AsyncDisposableStack,
): EvidenceStore {
  const closed = new AbortController();
  scope.defer(() => closed.abort());
  const { bucket, versioned, lock } = of;
  const place: Place = { bucket, versioned, known: sessionCache(), closing: closed.signal };
  const joining = joiner<EvidenceObject>(0);
  const verifying = joiner<Found | undefined>(READINGS_MAX);
  return {
    kind: 's3',
    open: (session) => open(place, session),
    holding: (session) => holding(place, session),
    put: (session, part, content, signal) => put(place, { session, part, content }, signal),
    direct: (session, part) => direct(place, session, part),
    complete: (session, whole) =>
      joining([keyOf(session), session.worker, whole.sha256, whole.parts, whole.bytes].join(), () =>
        complete(place, session, whole),
      ),
    abandon: (session) => abandon(place, session),
    stat: async (object) => objectOf(place, object, await standingOf(place, object)),
    read: (object, range) => readFirst(place, object, range),
    verify: ({ object, cause }, signal) =>
      abortable(
        verifying([keyOf(object), cause].join(), () => readBack(place, object)),
        signal,
      ),
    retain: ({ object, versionId }) =>
      lockVersion(bucket, { key: objectKey(bucket, object), versionId }, lock),
    inspect: ({ object, versionId }) =>
      heldVersion(bucket, { key: objectKey(bucket, object), versionId }),
    sweep: (nowMs) => sweepUploads(bucket, nowMs),
  };
}

async function open(place: Place, session: SessionName): Promise<void> {
  await uploadOf(place, session).catch((error: unknown) => {
    if (!(error instanceof StoreFault) || error.code !== 'object-complete') throw error;
  });
}

async function uploadOf(place: Place, session: SessionName): Promise<Upload> {
  return await place.known.get(session, async () => {
    if ((await standingOf(place, session)) !== undefined) throw alreadyComplete();
    return await beginUpload(place.bucket, session);
  });
}

function standingOf({ bucket, versioned }: Place, object: ObjectName) {
  return standing(bucket, objectKey(bucket, object), versioned);
}

async function holding(place: Place, session: SessionName): Promise<Holding> {
  const completed = await objectOf(place, session, await standingOf(place, session));
  if (completed !== undefined) return { parts: [], completed };
  const upload = await findUpload(place.bucket, session);
  const parts = (upload && (await listParts(place.bucket, upload))) ?? [];
  return { parts: parts.map(({ number, bytes, sha256 }) => ({ number, bytes, sha256 })) };
}

/** The upload that takes a part; undefined where it has that part. */
async function room(
  place: Place,
  session: SessionName,
  part: Part,
  again = true,
): Promise<Upload | undefined> {
  refuseNumber(part.number);
  const upload = await uploadOf(place, session);
  const there = await lookAt(place.bucket, upload, part.number);
  if (there !== undefined) return isHeld(there.part, part) ? undefined : upload;
  place.known.forget(session);
  // Another process dropped it, or was interrupted while it did: its sign may be left.
  await dropUpload(place.bucket, upload);
  if (again) return await room(place, session, part, false);
  throw new StoreFault('store-away', 'the upload is gone from the store: send this again');
}

async function put(
  place: Place,
  of: {
    readonly session: SessionName;
    readonly part: Part;
    readonly content: AsyncIterable<Uint8Array>;
  },
  signal: AbortSignal,
): Promise<void> {
  const { part } = of;
  const upload = await room(place, of.session, part);
  const checked = checkedPart(part, of.content);
  if (upload === undefined) {
    for await (const _ of checked);
    return;
  }
  const { sdk, client, bucket } = place.bucket;
  const body = Readable.from(checked, { objectMode: false });
  const request = new sdk.UploadPartCommand({ ...partOf(bucket, upload, part), Body: body });
  // What breaks the body breaks the request: its own error says more than the SDK's.
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => undefined);
  body.once('error', broken.reject);
  const stored = asked('store a part', client.send(request, { abortSignal: signal }));
  stored.catch(() => undefined);
  await Promise.race([stored, broken.promise]).finally(() => body.destroy());
}

function partOf(bucket: string, upload: Upload, part: Part) {
  return {
    Bucket: bucket,
    Key: upload.key,
    UploadId: upload.id,
    PartNumber: part.number,
    ContentLength: part.bytes,
    ChecksumSHA256: base64Of(part.sha256),
  };
}

const CHECKSUM = 'x-amz-checksum-sha256';

async function direct(
  place: Place,
  session: SessionName,
  part: Part,
): Promise<DirectPut | undefined> {
  const upload = await room(place, session, part);
  if (upload === undefined) return undefined;
  const { sdk, client, bucket } = place.bucket;
  const command = new sdk.UploadPartCommand(partOf(bucket, upload, part));
  // A checksum in the query is ignored: as a header it is signed, sent, and compared.
  const url = await getSignedUrl(client, command, {
    expiresIn: DIRECT_URL_SECONDS,
    unhoistableHeaders: new Set([CHECKSUM]),
  });
  return { url, headers: { [CHECKSUM]: base64Of(part.sha256) } };
}

/**
 * The order of writes: object, note, upload dropped. A crash after any of them leaves what the
 * same request finds and goes on with.
 */
async function complete(place: Place, session: SessionName, whole: Whole): Promise<EvidenceObject> {
  const { bucket, known } = place;
  const upload = await findUpload(bucket, session);
  if ((await standingOf(place, session)) === undefined) {
    await makeWhole(place, { session, upload, whole });
  }
  const object = await objectOf(place, session, await standingOf(place, session));
  const same = sameObject(object, whole);
  if (upload !== undefined) await dropUpload(bucket, upload);
  known.forget(session);
  return same;
}

async function makeWhole(
  place: Place,
  of: {
    readonly session: SessionName;
    readonly upload: Upload | undefined;
    readonly whole: Whole;
  },
): Promise<void> {
  const { bucket } = place;
  const { session, upload, whole } = of;
  const parts = upload && (await listParts(bucket, upload));
  // An upload that has gone since became an object, or nobody wants it any more.
  if (upload !== undefined && parts === undefined && (await standingOf(place, session))) return;
  refuseParts(parts ?? [], whole);
  const made =
    upload === undefined || whole.parts === 0
      ? await write(bucket, objectKey(bucket, session), '', true)
      : await join(bucket, upload, parts ?? []);
  const first = await standingOf(place, session);
  // Only who made the object that counts may say what it is.
  if (first !== undefined && made !== undefined && first.versionId === made.versionId) {
    await noteVersion(bucket, first, { ...whole, versionId: first.versionId });
  }
}

async function abandon({ bucket, known }: Place, session: SessionName): Promise<void> {
  const upload = await findUpload(bucket, session);
  if (upload !== undefined) await dropUpload(bucket, upload);
  known.forget(session);
}

/** What a standing object is: as noted, or read and noted again. */
async function objectOf(
  place: Place,
  object: ObjectName,
  of: Standing | undefined,
): Promise<EvidenceObject | undefined> {
  if (of === undefined) return undefined;
  let found = await readNote(place.bucket, of);
  if (found === undefined) {
    found = await hashed(place, of);
    await noteVersion(place.bucket, of, found);
  }
  return { name: object.name, key: keyOf(object), bytes: found.bytes, sha256: found.sha256 };
}

async function readBack(place: Place, object: ObjectName): Promise<Found | undefined> {
  const of = await standingOf(place, object);
  if (of === undefined) return undefined;
  // First: whatever takes its place later is another one by this, or does not read back.
  const fingerprint = await fingerprintOf(place.bucket, of);
  return { ...(await hashed(place, of)), fingerprint };
}

async function hashed({ bucket, closing }: Place, of: Standing): Promise<Found> {
  const read = (start: number) => readVersion(bucket, of, { start, end: of.bytes });
  const found = await hashSteadily({ bytes: of.bytes, read }, closing);
  return { ...found, versionId: of.versionId };
}

async function* readFirst(
  place: Place,
  object: ObjectName,
  range: { readonly start: number; readonly end: number },
): AsyncGenerator<Uint8Array> {
  const of = await standingOf(place, object);
  if (of !== undefined) yield* readVersion(place.bucket, of, range);
}
