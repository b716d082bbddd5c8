// SPDX-License-Identifier: Apache-2.0
import type { Bucket } from '@impound/bucket/s3-bucket.ts';
import { type HeldPart, StoreFault } from '../domain/evidence-store.ts';
import { SESSION_MS_MAX, SESSIONS_MAX } from '../domain/limits.ts';
import { keyOf, type ObjectName, type SessionName } from '../domain/object-name.ts';
import { asked, everyPage } from './s3-client.ts';

/** A part with what completing needs. */
export interface S3Part extends HeldPart {
  readonly etag: string;
  readonly touchedMs: number;
}

/** A multipart upload, and the other one that says whose it is. */
export interface Upload {
  readonly key: string;
  readonly id: string;
  readonly sign: { readonly key: string; readonly id: string };
}

/** The bucket has no such upload: it was completed, abandoned or swept. */
export const GONE = ['NoSuchUpload', 'NoSuchKey', 'NotFound'];

export function objectKey({ prefix }: Bucket, object: ObjectName): string {
  return `${prefix}objects/${keyOf(object)}`;
}

function signKey({ prefix }: Bucket, session: SessionName): string {
  const { tenant, acquisitionId, set, name, worker } = session;
  return `${prefix}sessions/${tenant}/${acquisitionId}/${set}~${name}~${worker}/`;
}

/**
 * The upload of a session, from the bucket alone: a second multipart upload that never gets a part
 * is the sign of the first, and its key says whose and which that is. Unlike an object such a sign
 * cannot be locked by retention, and the bucket forgets it together with the upload.
 */
export async function findUpload(
  bucket: Bucket,
  session: SessionName,
): Promise<Upload | undefined> {
  const signs = await listUploads(bucket, signKey(bucket, session));
  return firstOf(signs, objectKey(bucket, session));
}

function firstOf(signs: readonly Started[], key: string): Upload | undefined {
  const [first] = signs.toSorted((a, b) => a.startedMs - b.startedMs || (a.key < b.key ? -1 : 1));
  return first && uploadOf(key, first);
}

function uploadOf(key: string, sign: { readonly key: string; readonly id: string }): Upload {
  const id = Buffer.from(sign.key.split('/').at(-1) ?? '', 'base64url').toString();
  return { key, id, sign: { key: sign.key, id: sign.id } };
}

/** Begins the upload of a session, or finds it. Throws StoreFault where there are too many. */
export async function beginUpload(bucket: Bucket, session: SessionName): Promise<Upload> {
  const { tenant, acquisitionId } = session;
  const key = objectKey(bucket, session);
  const beside = await listUploads(bucket, `${bucket.prefix}sessions/${tenant}/${acquisitionId}/`);
  const ours = beside.filter((sign) => sign.key.startsWith(signKey(bucket, session)));
  const found = firstOf(ours, key);
  if (found !== undefined) return found;
  if (beside.length >= SESSIONS_MAX) {
    const message = `${SESSIONS_MAX} uploads are unfinished: complete one first`;
    throw new StoreFault('sessions-exhausted', message);
  }
  const id = await create(bucket, key);
  const own = `${signKey(bucket, session)}${Buffer.from(id).toString('base64url')}`;
  const sign = { key: own, id: await create(bucket, own) };
  const mine = { key, id, sign };
  // Of two processes that begin at once both keep the one that stands first.
  const winner = (await findUpload(bucket, session)) ?? mine;
  if (winner.id !== id) await dropUpload(bucket, mine);
  return winner;
}

async function create({ sdk, client, bucket }: Bucket, key: string): Promise<string> {
  const request = { Bucket: bucket, Key: key, ChecksumAlgorithm: 'SHA256' as const };
  const work = client.send(new sdk.CreateMultipartUploadCommand(request));
  return (await asked('begin an upload', work))?.UploadId ?? '';
}

/** Forgets an upload and its sign, whatever is left of them. */
export async function dropUpload(bucket: Bucket, upload: Upload): Promise<void> {
  for (const { key, id } of [upload, upload.sign]) await abort(bucket, key, id);
}

async function abort({ sdk, client, bucket }: Bucket, key: string, id: string): Promise<void> {
  const request = { Bucket: bucket, Key: key, UploadId: id };
  await asked('drop an upload', client.send(new sdk.AbortMultipartUploadCommand(request)), GONE);
}

/** The parts of an upload by number; undefined where the upload is gone. */
export async function listParts(
  { sdk, client, bucket }: Bucket,
  { key, id }: Pick<Upload, 'key' | 'id'>,
): Promise<readonly S3Part[] | undefined> {
  const request = { Bucket: bucket, Key: key, UploadId: id };
  const parts: S3Part[] = [];
  let gone = false;
  // Not by the SDK's pages: some stores name a next page on the last one, without end.
  await everyPage(async (after: { readonly PartNumberMarker?: string | undefined }) => {
    const work = client.send(new sdk.ListPartsCommand({ ...request, ...after }));
    const page = await asked('list parts', work, GONE);
    gone = page === undefined;
    parts.push(...(page?.Parts ?? []).map(partOf));
    return page?.IsTruncated === true ? { PartNumberMarker: page.NextPartNumberMarker } : undefined;
  });
  return gone ? undefined : parts;
}

/** Whether an upload is there, and its part of this number. */
export async function lookAt(
  { sdk, client, bucket }: Bucket,
  { key, id }: Upload,
  number: number,
): Promise<{ readonly part: S3Part | undefined } | undefined> {
  const request = new sdk.ListPartsCommand({
    Bucket: bucket,
    Key: key,
    UploadId: id,
    PartNumberMarker: String(number - 1),
    MaxParts: 1,
  });
  const page = await asked('list parts', client.send(request), GONE);
  const parts = (page?.Parts ?? []).map(partOf);
  return page && { part: parts.find((part) => part.number === number) };
}

interface Listed {
  readonly PartNumber?: number | undefined;
  readonly Size?: number | undefined;
  readonly ETag?: string | undefined;
  readonly ChecksumSHA256?: string | undefined;
  readonly LastModified?: Date | undefined;
}

function partOf(part: Listed): S3Part {
  const { ChecksumSHA256: checksum } = part;
  const sha256 = checksum && Buffer.from(checksum, 'base64').toString('hex');
  return {
    number: part.PartNumber ?? 0,
    bytes: part.Size ?? 0,
    etag: part.ETag ?? '',
    touchedMs: part.LastModified?.getTime() ?? 0,
    ...(sha256 === undefined || sha256 === '' ? {} : { sha256 }),
  };
}

interface Started {
  readonly key: string;
  readonly id: string;
  readonly startedMs: number;
}

async function listUploads(
  { sdk, client, bucket }: Bucket,
  prefix: string,
): Promise<readonly Started[]> {
  const found: Started[] = [];
  await everyPage(async (after: Markers) => {
    const request = { Bucket: bucket, Prefix: prefix, ...after };
    const work = client.send(new sdk.ListMultipartUploadsCommand(request));
    const page = await asked('list uploads', work);
    found.push(...(page?.Uploads ?? []).map(startedOf));
    if (page?.IsTruncated !== true) return undefined;
    return { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
  });
  return found;
}

interface Markers {
  readonly KeyMarker?: string | undefined;
  readonly UploadIdMarker?: string | undefined;
}

function startedOf(of: {
  readonly Key?: string | undefined;
  readonly UploadId?: string | undefined;
  readonly Initiated?: Date | undefined;
}): Started {
  return { key: of.Key ?? '', id: of.UploadId ?? '', startedMs: of.Initiated?.getTime() ?? 0 };
}

/** Drops the uploads that nobody touched for long, and what an interruption left without a sign. */
export async function sweepUploads(bucket: Bucket, nowMs: number): Promise<number> {
  const before = nowMs - SESSION_MS_MAX;
  const objects = `${bucket.prefix}objects/`;
  const signs = await listUploads(bucket, `${bucket.prefix}sessions/`);
  const signed = new Set(signs.map((sign) => uploadOf('', sign).id));
  let swept = 0;
  for (const sign of signs.filter(({ startedMs }) => startedMs < before)) {
    const upload = uploadOf(keyOfSign(bucket, sign.key), sign);
    const touched = (await listParts(bucket, upload))?.map((part) => part.touchedMs) ?? [];
    if (Math.max(0, ...touched) >= before) continue;
    await dropUpload(bucket, upload);
    swept += 1;
  }
  for (const { key, id, startedMs } of await listUploads(bucket, objects)) {
    if (startedMs < before && !signed.has(id)) await abort(bucket, key, id);
  }
  return swept;
}

function keyOfSign({ prefix }: Bucket, sign: string): string {
  const [tenant, acquisitionId, session = ''] = sign.slice(`${prefix}sessions/`.length).split('/');
  const [set, name] = session.split('~');
  return `${prefix}objects/${[tenant, acquisitionId, set, name].join('/')}`;
}
