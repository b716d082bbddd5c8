// SPDX-License-Identifier: Apache-2.0

import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Bucket } from '@impound/bucket/s3-bucket.ts';
import type { Retention } from '@impound/contracts/evidence.ts';
import { Count, Sha256 } from '@impound/contracts/ids.ts';
import { timeOf } from '@impound/contracts/time.ts';
import * as z from 'zod';
import type { ByteRange } from '../domain/byte-range.ts';
import type { Found, Held } from '../domain/evidence-store.ts';
import { isEnough, type Lock, untilMs } from '../domain/lock.ts';
import { asked, base64Of, everyPage } from './s3-client.ts';
import { GONE, type S3Part, type Upload } from './s3-upload.ts';

/** The version of an object that counts. */
export interface Standing {
  readonly key: string;
  readonly bytes: number;
  readonly versionId: string | undefined;
}

const MISSING = ['NotFound', 'NoSuchKey', 'NoSuchVersion'];

/**
 * The first version of a key: whatever is written over it later is another version and does not
 * count. In a bucket without versions, what is there.
 */
export async function standing(
  { sdk, client, bucket }: Bucket,
  key: string,
  versioned: boolean,
): Promise<Standing | undefined> {
  if (!versioned) {
    const work = client.send(new sdk.HeadObjectCommand({ Bucket: bucket, Key: key }));
    const found = await asked('look at an object', work, MISSING);
    return found && { key, bytes: found.ContentLength ?? 0, versionId: undefined };
  }
  let first: Standing | undefined;
  await everyPage(async (after: Markers) => {
    const request = new sdk.ListObjectVersionsCommand({ Bucket: bucket, Prefix: key, ...after });
    const page = await asked('list versions', client.send(request));
    // Newest first, and other keys may begin like this one.
    for (const { Key, Size = 0, VersionId } of page?.Versions ?? []) {
      if (Key === key) first = { key, bytes: Size, versionId: VersionId };
    }
    if (page?.IsTruncated !== true || (page.NextKeyMarker ?? '') > key) return undefined;
    return { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
  });
  return first;
}

interface Markers {
  readonly KeyMarker?: string | undefined;
  readonly VersionIdMarker?: string | undefined;
}

/** A version that was made just now. */
interface Made {
  readonly versionId: string | undefined;
}

/** Puts the parts together; undefined where an object stands already or the upload is gone. */
export async function join(
  { sdk, client, bucket }: Bucket,
  upload: Upload,
  parts: readonly S3Part[],
): Promise<Made | undefined> {
  const request = new sdk.CompleteMultipartUploadCommand({
    Bucket: bucket,
    Key: upload.key,
    UploadId: upload.id,
    IfNoneMatch: '*',
    MultipartUpload: {
      Parts: parts.map((part) => ({
        PartNumber: part.number,
        ETag: part.etag,
        ...(part.sha256 === undefined ? {} : { ChecksumSHA256: base64Of(part.sha256) }),
      })),
    },
  });
  const made = await asked('complete an upload', client.send(request), [...TAKEN, ...GONE]);
  return made && { versionId: made.VersionId };
}

const TAKEN = ['PreconditionFailed', 'ConditionalRequestConflict'];

/** Writes small content; undefined where it must be written `once` and stands already. */
export async function write(
  { sdk, client, bucket }: Bucket,
  key: string,
  content: string,
  once: boolean,
): Promise<Made | undefined> {
  const request = new sdk.PutObjectCommand({
    Bucket: bucket,
    Key: key,
    Body: content,
    // A bucket with a lock of its own takes nothing without a checksum.
    ChecksumSHA256: createHash('sha256').update(content).digest('base64'),
    ...(once ? { IfNoneMatch: '*' } : {}),
  });
  const made = await asked('write an object', client.send(request), TAKEN);
  return made && { versionId: made.VersionId };
}

/** The bytes of one version. */
export async function* readVersion(
  { sdk, client, bucket }: Bucket,
  { key, versionId }: Pick<Standing, 'key' | 'versionId'>,
  { start, end }: ByteRange,
): AsyncGenerator<Uint8Array> {
  const request = new sdk.GetObjectCommand({
    Bucket: bucket,
    Key: key,
    Range: `bytes=${start}-${end - 1}`,
    ...(versionId === undefined ? {} : { VersionId: versionId }),
  });
  const answer = await asked('read an object', client.send(request));
  yield* answer?.Body as Readable;
}

const Note = z.object({ bytes: Count, sha256: Sha256, versionId: z.string().optional() });

function noteKey({ prefix }: Bucket, key: string): string {
  return `${prefix}notes/${key.slice(`${prefix}objects/`.length)}.json`;
}

/** Writes down what a version is: S3 takes no word about an object once its parts are joined. */
export async function noteVersion(bucket: Bucket, { key }: Standing, found: Found): Promise<void> {
  const { bytes, sha256, versionId } = found;
  await write(bucket, noteKey(bucket, key), JSON.stringify({ bytes, sha256, versionId }), false);
}

const NOTE_BYTES_MAX = 4_096;

/** What was written down about a version; undefined where nothing of use was. */
export async function readNote(bucket: Bucket, of: Standing): Promise<Found | undefined> {
  const { sdk, client } = bucket;
  const key = noteKey(bucket, of.key);
  const work = client.send(new sdk.GetObjectCommand({ Bucket: bucket.bucket, Key: key }));
  const answer = await asked('read a note', work, MISSING);
  if (answer?.Body === undefined || (answer.ContentLength ?? Infinity) > NOTE_BYTES_MAX) {
    (answer?.Body as Readable | undefined)?.destroy();
    return undefined;
  }
  const text = await answer.Body.transformToString();
  const note = Note.safeParse(jsonOf(text)).data;
  return note?.bytes === of.bytes && note.versionId === of.versionId ? note : undefined;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Locks a version as wanted, unless it is locked as long already; tells what the bucket tells. */
export async function lockVersion(
  bucket: Bucket,
  of: Pick<Standing, 'key' | 'versionId'>,
  lock: Lock | undefined,
): Promise<Retention> {
  const before = await retentionOf(bucket, of);
  if (lock === undefined || isEnough(before, lock)) return before;
  const { sdk, client } = bucket;
  const request = new sdk.PutObjectRetentionCommand({
    Bucket: bucket.bucket,
    Key: of.key,
    ...(of.versionId === undefined ? {} : { VersionId: of.versionId }),
    Retention: {
      Mode: lock.mode === 'compliance' ? 'COMPLIANCE' : 'GOVERNANCE',
      RetainUntilDate: new Date(untilMs(lock)),
    },
  });
  await asked('lock an object (has the bucket Object Lock?)', client.send(request));
  return await retentionOf(bucket, of);
}

async function retentionOf(
  bucket: Bucket,
  of: Pick<Standing, 'key' | 'versionId'>,
): Promise<Retention> {
  return retentionIn((await lookAt(bucket, of, [])) ?? {});
}

function lookAt(
  { sdk, client, bucket }: Bucket,
  { key, versionId }: Pick<Standing, 'key' | 'versionId'>,
  missing: readonly string[],
) {
  const version = versionId === undefined ? {} : { VersionId: versionId };
  const of = { Bucket: bucket, Key: key, ...version };
  const request = new sdk.HeadObjectCommand({ ...of, ChecksumMode: 'ENABLED' });
  return asked('look at an object', client.send(request), [...missing]);
}

function retentionIn(found: {
  readonly ObjectLockRetainUntilDate?: Date | undefined;
  readonly ObjectLockMode?: string | undefined;
}): Retention {
  const until = found.ObjectLockRetainUntilDate?.getTime();
  if (until === undefined || until <= Date.now()) return { mode: 'none' };
  const mode = found.ObjectLockMode === 'COMPLIANCE' ? 'compliance' : 'governance';
  return { mode, until: timeOf(until) };
}

/** How a version is held now, and which one stands on top; undefined where it is not there. */
export async function heldVersion(
  bucket: Bucket,
  of: Pick<Standing, 'key' | 'versionId'>,
): Promise<Held | undefined> {
  const found = await lookAt(bucket, of, MISSING);
  if (found === undefined) return undefined;
  const top = await lookAt(bucket, { key: of.key, versionId: undefined }, MISSING);
  return {
    bytes: found.ContentLength ?? 0,
    fingerprints: fingerprintsIn(found),
    topVersionId: top?.VersionId,
    retention: retentionIn(found),
  };
}

/** What the bucket tells the bytes of a version by, the best first. */
export async function fingerprintOf(
  bucket: Bucket,
  of: Pick<Standing, 'key' | 'versionId'>,
): Promise<string | undefined> {
  return fingerprintsIn((await lookAt(bucket, of, MISSING)) ?? {})[0];
}

/** Joined parts have one SHA-256 over those of the parts; not every server keeps it. */
function fingerprintsIn(found: {
  readonly ChecksumSHA256?: string | undefined;
  readonly ETag?: string | undefined;
}): readonly string[] {
  const { ChecksumSHA256: checksum, ETag: tag } = found;
  return [...(checksum ? [`sha256:${checksum}`] : []), ...(tag ? [`etag:${tag}`] : [])];
}
