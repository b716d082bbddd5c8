// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Retention } from '@impound/contracts/evidence.ts';
import { timeOf } from '@impound/contracts/time.ts';
import { DIRECT_URL_SECONDS } from '../domain/limits.ts';
import { isEnough, type Lock, untilMs } from '../domain/lock.ts';
import { azureAsked, type Container } from './azure-client.ts';
import type { Listed, ObjectPlace, Written } from './part-objects.ts';

const TAKEN = ['BlobAlreadyExists', 'ConditionNotMet', 'UnauthorizedBlobOverwrite'];
const MISSING = ['BlobNotFound', 'ResourceNotFound'];
const STAGED_AT_ONCE = 8;
/** A SAS begins a little ago, since clocks differ. */
const SKEW_MS = 300_000;

/** A container of Azure Blob Storage as a place for parts and objects. */
export function azurePlace(container: Container, lock: Lock | undefined): ObjectPlace {
  return {
    kind: 'azure-blob',
    prefix: container.prefix,
    list: (prefix) => list(container, prefix),
    look: (name) => look(container, name),
    write: (name, of, content, signal) => write(container, { name, ...of, content }, signal),
    sign: async (name, of) => ({
      url: await signed(container, name, 'c'),
      headers: { 'x-ms-blob-type': 'BlockBlob', 'x-ms-meta-sha256': of.sha256 },
    }),
    join: (parts, name, whole) => join(container, { parts, name, whole }),
    remove: async (name) => {
      const work = container.client.getBlobClient(name).delete();
      await azureAsked(container.sdk, 'remove a part', work, MISSING);
    },
    read: (name, versionId, range) => read(container, { name, versionId, ...range }),
    retain: (name, versionId) => retain(container, { name, versionId, lock }),
    held: (name, versionId) => held(container, name, versionId),
  };
}

async function list({ sdk, client }: Container, prefix: string): Promise<readonly Listed[]> {
  const listing = async () => {
    const found: Listed[] = [];
    for await (const { name, properties, metadata, versionId } of client.listBlobsFlat({
      prefix,
      includeMetadata: true,
    })) {
      const touchedMs = properties.lastModified.getTime();
      const bytes = properties.contentLength ?? 0;
      found.push({ name, bytes, sha256: metadata?.['sha256'], versionId, touchedMs });
    }
    return found;
  };
  return (await azureAsked(sdk, 'list blobs', listing())) ?? [];
}

async function look({ sdk, client }: Container, name: string): Promise<Listed | undefined> {
  const work = client.getBlobClient(name).getProperties();
  const found = await azureAsked(sdk, 'look at a blob', work, MISSING);
  return (
    found && {
      name,
      bytes: found.contentLength ?? 0,
      sha256: found.metadata?.['sha256'],
      versionId: found.versionId,
      // The bytes of a version never change, and a lock may give it another tag.
      fingerprint: found.versionId === undefined ? tagOf(found) : undefined,
      touchedMs: found.lastModified?.getTime() ?? 0,
    }
  );
}

async function write(
  { sdk, once }: Container,
  of: Written & { readonly name: string; readonly content: AsyncIterable<Uint8Array> },
  signal: AbortSignal,
): Promise<boolean> {
  const body = Readable.from(of.content, { objectMode: false });
  // What breaks the body breaks the request: its own error says more than the SDK's.
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => undefined);
  body.once('error', broken.reject);
  const stopped = new AbortController();
  const work = once.getBlockBlobClient(of.name).upload(() => body, of.bytes, {
    abortSignal: AbortSignal.any([signal, stopped.signal]),
    conditions: { ifNoneMatch: '*' },
    metadata: { sha256: of.sha256 },
  });
  const stored = azureAsked(sdk, 'store a part', work, TAKEN);
  stored.catch(() => undefined);
  try {
    return (await Promise.race([stored, broken.promise])) !== undefined;
  } finally {
    stopped.abort();
    body.destroy();
  }
}

/** The URL of one blob with a SAS: c makes it where none stands, r reads it. */
async function signed(container: Container, name: string, right: 'c' | 'r'): Promise<string> {
  const { sdk, client, sas } = container;
  const now = Date.now();
  const query = await sas({
    blobName: name,
    permissions: sdk.BlobSASPermissions.parse(right),
    startsOn: new Date(now - SKEW_MS),
    expiresOn: new Date(now + DIRECT_URL_SECONDS * 1_000),
    ...(client.url.startsWith('https:') ? { protocol: sdk.SASProtocol.Https } : {}),
  });
  return `${client.getBlobClient(name).url}?${query}`;
}

/** Copies the parts into blocks inside the store; they count once the list of them is there. */
async function join(
  container: Container,
  of: { readonly parts: readonly Listed[]; readonly name: string; readonly whole: Written },
): Promise<void> {
  const { sdk, client } = container;
  const blob = client.getBlockBlobClient(of.name);
  // Of two that join at once neither must meet the blocks of the other.
  const turn = randomBytes(8).toString('hex');
  const blocks = of.parts.map((part) => {
    const id = Buffer.from(`${turn}-${part.name.slice(-5)}`).toString('base64');
    return { part, id };
  });
  for (let at = 0; at < blocks.length; at += STAGED_AT_ONCE) {
    const staging = blocks.slice(at, at + STAGED_AT_ONCE).map(async ({ part, id }) => {
      const source = await signed(container, part.name, 'r');
      const work = blob.stageBlockFromURL(id, source, 0, part.bytes);
      await azureAsked(sdk, 'join a part', work, TAKEN);
    });
    await Promise.all(staging);
  }
  const ids = blocks.map(({ id }) => id);
  const work = blob.commitBlockList(ids, {
    conditions: { ifNoneMatch: '*' },
    metadata: { sha256: of.whole.sha256 },
    blobHTTPHeaders: { blobContentType: 'application/octet-stream' },
  });
  await azureAsked(sdk, 'complete an object', work, [...TAKEN, 'InvalidBlockList']);
}

async function* read(
  { sdk, client }: Container,
  of: {
    readonly name: string;
    readonly versionId: string | undefined;
    readonly start: number;
    readonly end: number;
  },
): AsyncGenerator<Uint8Array> {
  const { name, versionId, start, end } = of;
  const latest = client.getBlobClient(name);
  const blob = versionId === undefined ? latest : latest.withVersion(versionId);
  const work = blob.download(start, end - start, { maxRetryRequests: 0 });
  const answer = await azureAsked(sdk, 'read a blob', work);
  yield* answer?.readableStreamBody as Readable;
}

async function held({ sdk, client }: Container, name: string, versionId: string | undefined) {
  const latest = client.getBlobClient(name);
  const blob = versionId === undefined ? latest : latest.withVersion(versionId);
  const found = await azureAsked(sdk, 'look at a blob', blob.getProperties(), MISSING);
  if (found === undefined) return undefined;
  // Every blob was made with its digest: one without it is another one.
  const sha256 = found.metadata?.['sha256'] ?? 'none';
  const told = tagOf(found);
  const fingerprints = told === undefined ? [] : [told];
  return { bytes: found.contentLength ?? 0, sha256, fingerprints, retention: retentionOf(found) };
}

/** Of joined blocks Azure keeps no checksum of its own; its tag changes with every write. */
function tagOf({ etag }: { readonly etag?: string }): string | undefined {
  return etag === undefined ? undefined : `etag:${etag}`;
}

async function retain(
  { sdk, client }: Container,
  of: {
    readonly name: string;
    readonly versionId: string | undefined;
    readonly lock: Lock | undefined;
  },
): Promise<Retention> {
  const latest = client.getBlobClient(of.name);
  const blob = of.versionId === undefined ? latest : latest.withVersion(of.versionId);
  const told = async (): Promise<Retention> =>
    retentionOf((await azureAsked(sdk, 'look at a blob', blob.getProperties())) ?? {});
  const before = await told();
  if (of.lock === undefined || isEnough(before, of.lock)) return before;
  const work = blob.setImmutabilityPolicy({
    expiriesOn: new Date(untilMs(of.lock)),
    policyMode: of.lock.mode === 'compliance' ? 'Locked' : 'Unlocked',
  });
  await azureAsked(sdk, 'lock a blob (has the container immutable versions?)', work);
  return await told();
}

function retentionOf(found: {
  readonly immutabilityPolicyExpiresOn?: Date;
  readonly immutabilityPolicyMode?: string;
}): Retention {
  const until = found.immutabilityPolicyExpiresOn?.getTime();
  if (until === undefined || until <= Date.now()) return { mode: 'none' };
  const locked = found.immutabilityPolicyMode?.toLowerCase() === 'locked';
  return { mode: locked ? 'compliance' : 'governance', until: timeOf(until) };
}
