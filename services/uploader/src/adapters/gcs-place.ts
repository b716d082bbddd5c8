// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { File, FileMetadata } from '@google-cloud/storage';
import type { Retention } from '@impound/contracts/evidence.ts';
import { timeOf } from '@impound/contracts/time.ts';
import { DIRECT_URL_SECONDS } from '../domain/limits.ts';
import { isEnough, type Lock, untilMs } from '../domain/lock.ts';
import { type GcsBucket, gcsAsked } from './gcs-client.ts';
import type { Listed, ObjectPlace, Written } from './part-objects.ts';

const MISSING = [404];
const TAKEN = [412];
/** One request composes at most so many objects. */
const COMPOSED_MAX = 32;
const COMPOSED_AT_ONCE = 8;
const OCTETS = 'application/octet-stream';

/** A bucket of Google Cloud Storage as a place for parts and objects. */
export function gcsPlace(gcs: GcsBucket, lock: Lock | undefined): ObjectPlace {
  const { bucket, prefix } = gcs;
  return {
    kind: 'gcs',
    prefix,
    list: async (under) => {
      const found = await gcsAsked('list objects', bucket.getFiles({ prefix: under }));
      return (found?.[0] ?? []).map(({ name, metadata }) => listed(name, metadata));
    },
    look: async (name) => {
      const found = await gcsAsked('look at an object', bucket.file(name).getMetadata(), MISSING);
      return found && listed(name, found[0]);
    },
    write: (name, of, content, signal) => write(bucket.file(name), { ...of, content }, signal),
    sign: (name, of) => sign(bucket.file(name), of),
    join: (parts, name, whole) => join(gcs, { parts, name, whole }),
    remove: async (name) => {
      await gcsAsked('remove a part', bucket.file(name).delete(), MISSING);
    },
    read: (name, versionId, { start, end }) => {
      const file = bucket.file(name, versionId === undefined ? {} : { generation: versionId });
      return read(file, start, end - 1);
    },
    retain: (name, versionId) => retain(gcs, { name, versionId, lock }),
    held: async (name, versionId) => {
      const file = bucket.file(name, versionId === undefined ? {} : { generation: versionId });
      const found = await gcsAsked('look at an object', file.getMetadata(), MISSING);
      if (found === undefined) return undefined;
      const { bytes, sha256, fingerprint } = listed(name, found[0]);
      const fingerprints = fingerprint === undefined ? [] : [fingerprint];
      return { bytes, sha256, fingerprints, retention: retentionOf(found[0]) };
    },
  };
}

function listed(name: string, metadata: FileMetadata): Listed {
  const sha256 = metadata.metadata?.['sha256'];
  return {
    name,
    bytes: Number(metadata.size ?? 0),
    sha256: typeof sha256 === 'string' ? sha256 : undefined,
    versionId: metadata.generation === undefined ? undefined : String(metadata.generation),
    fingerprint: metadata.crc32c === undefined ? undefined : `crc32c:${metadata.crc32c}`,
    touchedMs: Date.parse(metadata.updated ?? '') || 0,
  };
}

async function write(
  file: File,
  of: Written & { readonly content: AsyncIterable<Uint8Array> },
  signal: AbortSignal,
): Promise<boolean> {
  const target = file.createWriteStream({
    resumable: false,
    validation: false,
    preconditionOpts: { ifGenerationMatch: 0 },
    metadata: { contentType: OCTETS, metadata: { sha256: of.sha256 } },
  });
  const body = Readable.from(of.content, { objectMode: false });
  // What breaks the body breaks the request: its own error says more than the SDK's.
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => undefined);
  body.once('error', broken.reject);
  const stored = gcsAsked('store a part', pipeline(body, target, { signal }).then(ok), TAKEN);
  stored.catch(() => undefined);
  try {
    return (await Promise.race([stored, broken.promise])) === true;
  } finally {
    body.destroy();
  }
}

function ok(): true {
  return true;
}

/** Size, digest and that nothing stands there are signed with the URL: it is good for one part. */
async function sign(file: File, of: Written) {
  const headers = {
    'content-type': OCTETS,
    'x-goog-if-generation-match': '0',
    'x-goog-content-length-range': `${of.bytes},${of.bytes}`,
    'x-goog-meta-sha256': of.sha256,
  };
  const { 'content-type': contentType, ...extensionHeaders } = headers;
  const work = file.getSignedUrl({
    version: 'v4',
    action: 'write',
    expires: Date.now() + DIRECT_URL_SECONDS * 1_000,
    contentType,
    extensionHeaders,
  });
  const [url = ''] = (await gcsAsked('sign a URL', work)) ?? [];
  return { url, headers };
}

/** Composes the parts, in turns where there are many; what lies between goes with the parts. */
async function join(
  { bucket }: GcsBucket,
  of: { readonly parts: readonly Listed[]; readonly name: string; readonly whole: Written },
): Promise<void> {
  const metadata = { sha256: of.whole.sha256 };
  if (of.parts.length === 0) {
    const empty = { bytes: 0, sha256: of.whole.sha256, content: nothing() };
    await write(bucket.file(of.name), empty, AbortSignal.any([]));
    return;
  }
  const folder = of.parts[0]?.name.replace(/[^/]*$/, '') ?? '';
  // Of two that join at once neither must meet what lies between of the other.
  const turn = randomBytes(8).toString('hex');
  let names = of.parts.map(({ name }) => name);
  for (let round = 1; names.length > COMPOSED_MAX; round += 1) {
    const groups = Array.from({ length: Math.ceil(names.length / COMPOSED_MAX) }, (_, index) => ({
      sources: names.slice(index * COMPOSED_MAX, (index + 1) * COMPOSED_MAX),
      into: `${folder}${turn}-${round}-${index}`,
    }));
    for (let at = 0; at < groups.length; at += COMPOSED_AT_ONCE) {
      const some = groups.slice(at, at + COMPOSED_AT_ONCE);
      await Promise.all(some.map(({ sources, into }) => compose(bucket, sources, into, {})));
    }
    names = groups.map(({ into }) => into);
  }
  await compose(bucket, names, of.name, metadata);
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function compose(
  bucket: GcsBucket['bucket'],
  names: readonly string[],
  ...[into, metadata]: [string, Record<string, string>]
): Promise<void> {
  // Not by combine(): that takes no metadata, and who reads the object would find none.
  const work = bucket.file(into).request({
    method: 'POST',
    uri: '/compose',
    qs: { ifGenerationMatch: 0 },
    json: {
      destination: { contentType: OCTETS, metadata },
      sourceObjects: names.map((name) => ({ name })),
    },
  });
  await gcsAsked('join parts', work, [...TAKEN, ...MISSING]);
}

async function* read(file: File, start: number, end: number): AsyncGenerator<Uint8Array> {
  const stream = file.createReadStream({ start, end, validation: false, decompress: false });
  const chunks = stream[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await gcsAsked('read an object', chunks.next());
      if (next === undefined || next.done === true) return;
      yield next.value;
    }
  } finally {
    stream.destroy();
  }
}

async function retain(
  { bucket }: GcsBucket,
  of: {
    readonly name: string;
    readonly versionId: string | undefined;
    readonly lock: Lock | undefined;
  },
): Promise<Retention> {
  const file = bucket.file(of.name);
  const told = async () => {
    const found = await gcsAsked('look at an object', file.getMetadata());
    return retentionOf(found?.[0] ?? {});
  };
  const before = await told();
  if (of.lock === undefined || isEnough(before, of.lock)) return before;
  const retention = {
    mode: of.lock.mode === 'compliance' ? 'Locked' : 'Unlocked',
    retainUntilTime: new Date(untilMs(of.lock)).toISOString(),
  };
  const only = of.versionId === undefined ? {} : { ifGenerationMatch: Number(of.versionId) };
  const work = file.setMetadata({ retention } as FileMetadata, only);
  await gcsAsked('lock an object (has the bucket object retention?)', work);
  return await told();
}

/** The stricter of what the object and what the bucket says. */
function retentionOf(found: FileMetadata): Retention {
  const { retention, retentionExpirationTime } = found as FileMetadata & {
    readonly retention?: { readonly mode?: string; readonly retainUntilTime?: string };
    readonly retentionExpirationTime?: string;
  };
  const until = Date.parse(retention?.retainUntilTime ?? retentionExpirationTime ?? '');
  if (!(until > Date.now())) return { mode: 'none' };
  // The policy of a bucket can be lifted unless it is locked, which an object does not tell.
  const locked = retention?.mode?.toLowerCase() === 'locked';
  return { mode: locked ? 'compliance' : 'governance', until: timeOf(until) };
}
