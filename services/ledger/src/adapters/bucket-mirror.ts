// SPDX-License-Identifier: Apache-2.0
import type { Readable } from 'node:stream';
import {
  type Bucket,
  openBucket,
  S3_KEY_FORM,
  s3Failure,
  s3Key,
} from '@impound/bucket/s3-bucket.ts';
import type { StorePlace } from '@impound/bucket/store-url.ts';
import { Later, Never } from '@impound/runtime/fault.ts';
import type { Secret } from '@impound/runtime/secret.ts';
import { sha256 } from '@impound/transparency/hash.ts';
import type { MirrorStore } from '../handlers/mirroring.ts';

/** A bundle of 256 entries of 65,535 bytes, each behind its length. */
const OBJECT_BYTES_MAX = 256 * (65_535 + 2);
const AGAIN_MS = 5_000;
const MISSING = ['NoSuchKey', 'NotFound'];
/** Somebody has written it, or is just doing so. */
const TAKEN = ['PreconditionFailed', 'ConditionalRequestConflict'];

/** What C2SP tlog-tiles wants to be told of a file: a checkpoint changes, all else never does. */
const CHECKPOINT = {
  ContentType: 'text/plain; charset=utf-8',
  CacheControl: 'no-cache',
  IfNoneMatch: undefined,
};
const TILE = {
  ContentType: 'application/octet-stream',
  CacheControl: 'public, max-age=31536000, immutable',
  // What never changes is written once, whoever else writes there.
  IfNoneMatch: '*',
};

/** A mirror in a bucket: it reads, writes, must be told what is not there, and deletes nothing. */
export async function bucketMirror(
  place: Extract<StorePlace, { kind: 's3' }>,
  key: Secret | undefined,
  scope: AsyncDisposableStack,
): Promise<MirrorStore> {
  const read = key && s3Key(key);
  if (key !== undefined && read === undefined) {
    throw new Never('mirror-refused', `MIRROR_KEY for S3 is ${S3_KEY_FORM}`);
  }
  const bucket = await openBucket(place, read, scope);
  const name = `mirror s3://${bucket.bucket}/${bucket.prefix}`;
  return {
    name,
    read: (path, signal) => got(bucket, { name, path }, signal),
    add: (path, bytes, signal) => put(bucket, { name, path, bytes, how: TILE }, signal),
    replace: async (path, bytes, signal) => {
      await put(bucket, { name, path, bytes, how: CHECKPOINT }, signal);
    },
  };
}

interface At {
  readonly name: string;
  readonly path: string;
}

async function got(bucket: Bucket, at: At, signal: AbortSignal): Promise<Buffer | undefined> {
  const { sdk, client, prefix } = bucket;
  const request = new sdk.GetObjectCommand({ Bucket: bucket.bucket, Key: prefix + at.path });
  const answer = await asked(at, client.send(request, { abortSignal: signal }), MISSING);
  if (answer === undefined) return undefined;
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of answer.Body as Readable) {
    parts.push(part);
    bytes += (part as Buffer).length;
    if (bytes > OBJECT_BYTES_MAX) {
      throw new Never('mirror-refused', `${at.name}: ${at.path} is longer than any of a log`);
    }
  }
  return Buffer.concat(parts);
}

/** Gives false where it stands already. */
async function put(
  bucket: Bucket,
  {
    bytes,
    how,
    ...at
  }: At & { readonly bytes: Buffer; readonly how: typeof TILE | typeof CHECKPOINT },
  signal: AbortSignal,
): Promise<boolean> {
  const { sdk, client, prefix } = bucket;
  const request = new sdk.PutObjectCommand({
    Bucket: bucket.bucket,
    Key: prefix + at.path,
    Body: bytes,
    // A bucket with a lock of its own takes nothing without a checksum.
    ChecksumSHA256: sha256(bytes).toString('base64'),
    ...how,
  });
  const written = await asked(at, client.send(request, { abortSignal: signal }), TAKEN);
  return written !== undefined;
}

/** The SDK's own messages are not repeated: some hold what was signed. */
async function asked<T>(
  { name, path }: At,
  work: Promise<T>,
  expected: readonly string[],
): Promise<T | undefined> {
  try {
    return await work;
  } catch (cause) {
    const { status, code } = s3Failure(cause);
    if (
      expected.includes(code) ||
      (status === 404 && expected === MISSING && code !== 'NoSuchBucket')
    )
      return undefined;
    const told = [status, code].filter(Boolean).join(' ') || 'no answer';
    throw new Later('mirror-away', AGAIN_MS, `${name}: ${path}: ${told}`, { cause });
  }
}
