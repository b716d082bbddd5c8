// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { EvidenceObject } from '@impound/contracts/evidence.ts';
import type { Log } from '@impound/runtime/log.ts';
import type { Context } from 'hono';
import { type ByteRange, readRange } from '../domain/byte-range.ts';
import { formatDigest } from '../domain/content-digest.ts';
import type { EvidenceStore } from '../domain/evidence-store.ts';
import { Refusal } from '../domain/problem.ts';
import type { App } from './http-server.ts';
import type { UrlSigner } from './url-signer.ts';

interface Deps {
  readonly store: Pick<EvidenceStore, 'stat' | 'read'>;
  readonly urls: UrlSigner;
  readonly log: Log;
  readonly stopping: AbortSignal;
}

type Request = Context<{ Bindings: HttpBindings }>;

/** Adds the URLs by which one stored object is read. */
export function addObjects(app: App, deps: Deps): void {
  app.get('/v1/objects/:opaque', (context) => getObject(context, deps));
  app.all('/v1/objects/:opaque', () => {
    throw new Refusal('method-refused', 'only GET, HEAD');
  });
}

async function getObject(context: Request, deps: Deps): Promise<Response> {
  const { exp, sig } = context.req.query();
  const name = deps.urls.readObject(context.req.param('opaque') ?? '', { exp, sig });
  if (name === undefined) {
    throw new Refusal('signature-refused', 'ask uploader.read.v1 for a new URL of this object');
  }
  const object = await deps.store.stat(name);
  if (object === undefined) throw new Refusal('not-found', 'the store has no such object');
  const range = rangeOf(context, object);
  const { start, end } = range ?? { start: 0, end: object.bytes };
  const { outgoing } = context.env;
  outgoing.writeHead(range === undefined ? 200 : 206, headersOf(object, range));
  if (context.req.method === 'HEAD' || start === end) {
    outgoing.end();
    return RESPONSE_ALREADY_SENT;
  }
  // The pipeline ends the connection where reading fails: a short body is never taken for whole.
  await pipeline(Readable.from(deps.store.read(name, { start, end })), outgoing, {
    signal: deps.stopping,
  }).catch((error: unknown) => {
    deps.log.info('reading ended early', { key: object.key, because: String(error) });
    outgoing.destroy();
  });
  return RESPONSE_ALREADY_SENT;
}

function rangeOf(context: Request, object: EvidenceObject): ByteRange | undefined {
  const condition = context.req.header('if-range');
  if (condition !== undefined && condition !== etagOf(object)) return undefined;
  const range = readRange(context.req.header('range'), object.bytes);
  if (range !== 'unsatisfiable') return range;
  throw new Refusal('range-refused', `the object has ${object.bytes} bytes`);
}

/** RFC 9530: Content-Digest is of the bytes sent, Repr-Digest of the whole object. */
function headersOf(object: EvidenceObject, range: ByteRange | undefined): Record<string, string> {
  const digest = formatDigest(object.sha256);
  const { start, end } = range ?? { start: 0, end: object.bytes };
  return {
    'content-type': 'application/octet-stream',
    'content-length': String(end - start),
    'accept-ranges': 'bytes',
    'cache-control': 'no-store',
    etag: etagOf(object),
    'repr-digest': digest,
    ...(range === undefined
      ? { 'content-digest': digest }
      : { 'content-range': `bytes ${start}-${end - 1}/${object.bytes}` }),
  };
}

function etagOf(object: EvidenceObject): string {
  return `"${object.sha256}"`;
}
