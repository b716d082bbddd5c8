// SPDX-License-Identifier: Apache-2.0
import type { HttpBindings } from '@hono/node-server';
import { Count, Sha256 } from '@impound/contracts/ids.ts';
import { measuresOf } from '@impound/runtime/metrics.ts';
import { METRICS } from '@impound/runtime/semantics.ts';
import type { Context } from 'hono';
import * as z from 'zod';
import { readDigest } from '../domain/content-digest.ts';
import type { EvidenceStore } from '../domain/evidence-store.ts';
import { COMPLETION_BYTES_MAX, PART_BYTES_MAX, PARTS_MAX } from '../domain/limits.ts';
import type { SessionName } from '../domain/object-name.ts';
import { Refusal } from '../domain/problem.ts';
import type { OpenUploads } from '../handlers/open-uploads.ts';
import { bodyOf } from './http-body.ts';
import type { App } from './http-server.ts';
import type { UrlSigner } from './url-signer.ts';

interface Deps {
  readonly store: EvidenceStore;
  readonly uploads: Pick<OpenUploads, 'refusal' | 'over'>;
  readonly urls: UrlSigner;
  /** Ends what is being written when the service stops. */
  readonly stopping: AbortSignal;
}

type Request = Context<{ Bindings: HttpBindings }>;

/** Adds the upload protocol of docs/spec/upload.md. */
export function addUploads(app: App, deps: Deps): void {
  const base = '/v1/uploads/:opaque';
  app.get(base, async (context) => {
    const holding = await deps.store.holding(sessionOf(context, deps));
    context.header('cache-control', 'no-store');
    return context.json(deps.store.direct === undefined ? holding : { ...holding, direct: true });
  });
  app.delete(base, async (context) => {
    const session = sessionOf(context, deps);
    await deps.store.abandon(session);
    deps.uploads.over(session);
    return context.body(null, 204);
  });
  app.put(`${base}/parts/:number`, (context) => putPart(context, deps));
  app.post(`${base}/parts/:number`, (context) => directPart(context, deps));
  app.post(`${base}/complete`, (context) => complete(context, deps));
  for (const [path, allow] of [
    [base, 'GET, HEAD, DELETE'],
    [`${base}/parts/:number`, 'PUT, POST'],
    [`${base}/complete`, 'POST'],
  ] as const) {
    app.all(path, () => {
      throw new Refusal('method-refused', `only ${allow}`);
    });
  }
}

function sessionOf(context: Request, deps: Deps): SessionName {
  const { exp, sig } = context.req.query();
  const session = deps.urls.readUpload(context.req.param('opaque') ?? '', { exp, sig });
  if (session !== undefined) return session;
  throw new Refusal('signature-refused', 'ask uploader.open.v1 for a new URL of this object');
}

function numberOf(context: Request): number {
  const number = context.req.param('number') ?? '';
  if (/^[1-9]\d{0,4}$/.test(number) && Number(number) <= PARTS_MAX) return Number(number);
  throw new Refusal('part-refused', `parts are numbered from 1 to ${PARTS_MAX}`);
}

/** The upload of a URL whose holder may write to it at this moment. */
async function writableOf(context: Request, deps: Deps): Promise<SessionName> {
  const session = sessionOf(context, deps);
  const refusal = await deps.uploads.refusal(session, deps.stopping);
  if (refusal === undefined) return session;
  throw new Refusal('epoch-over', refusal.because);
}

async function putPart(context: Request, deps: Deps): Promise<Response> {
  const session = await writableOf(context, deps);
  const number = numberOf(context);
  const bytes = lengthOf(context, PART_BYTES_MAX);
  const sha256 = readDigest(context.req.header('content-digest'));
  if (sha256 === undefined) {
    throw new Refusal('digest-missing', 'send Content-Digest: sha-256=:<base64>: (RFC 9530)');
  }
  const lent = deps.store.takesLent === true;
  const content = bodyOf(context.env.incoming, { bytesMax: bytes, lent });
  await deps.store.put(session, { number, bytes, sha256 }, content, deps.stopping);
  measuresOf('uploader').count(METRICS.received, bytes);
  return context.body(null, 204);
}

function lengthOf(context: Request, bytesMax: number): number {
  const length = context.req.header('content-length');
  if (length === undefined || !/^\d{1,15}$/.test(length)) {
    throw new Refusal('length-required', 'send Content-Length');
  }
  if (Number(length) > bytesMax) {
    throw new Refusal('too-large', `at most ${bytesMax} bytes, not ${length}: send smaller parts`);
  }
  return Number(length);
}

const Announced = z.object({ bytes: z.int().min(0).max(PART_BYTES_MAX), sha256: Sha256 });

/** Tells where this part can be put into the store itself. */
async function directPart(context: Request, deps: Deps): Promise<Response> {
  const session = await writableOf(context, deps);
  const number = numberOf(context);
  if (deps.store.direct === undefined) {
    throw new Refusal('method-refused', 'this store takes parts by PUT alone');
  }
  const shape = 'send {"bytes": <length>, "sha256": "<64 lower-case hex>"}';
  const announced = await jsonBody(context, Announced, shape);
  const direct = await deps.store.direct(session, { number, ...announced });
  context.header('cache-control', 'no-store');
  return context.json(direct === undefined ? {} : { direct });
}

const Completion = z.object({
  parts: z.int().min(0).max(PARTS_MAX),
  bytes: Count,
  sha256: Sha256,
});

async function complete(context: Request, deps: Deps): Promise<Response> {
  const session = await writableOf(context, deps);
  const shape = 'send {"parts": <how many>, "bytes": <all>, "sha256": "<64 lower-case hex>"}';
  const whole = await jsonBody(context, Completion, shape);
  const object = await deps.store.complete(session, whole, deps.stopping);
  deps.uploads.over(session);
  return context.json({ object });
}

async function jsonBody<Shape extends z.ZodType>(
  context: Request,
  shape: Shape,
  advice: string,
): Promise<z.output<Shape>> {
  const chunks: Uint8Array[] = [];
  const content = bodyOf(context.env.incoming, { bytesMax: COMPLETION_BYTES_MAX });
  for await (const chunk of content) chunks.push(chunk);
  const read = shape.safeParse(jsonOf(Buffer.concat(chunks)));
  if (read.success) return read.data;
  throw new Refusal('body-refused', advice);
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
