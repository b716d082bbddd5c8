// SPDX-License-Identifier: Apache-2.0
import { Count, Sha256 } from '@impound/contracts/ids.ts';
import * as z from 'zod';
import type { ObjectSink, StoredRef } from './sink.ts';
import { UploadFault } from './upload-fault.ts';
import { type Exchange, exchange, type SessionLine } from './upload-http.ts';

const BACKOFF_MS = 250;
const RETRY_MS_MAX = 300_000;
const ABORT_MS_MAX = 5_000;
const PARTS_MAX = 10_000;

/** How to speak to an upload session. */
export interface UploadOptions {
  /** The object's name, for people and for the StoredRef. */
  readonly name: string;
  /** http or https. A secret: whoever has it can write the object. */
  readonly url: string;
  /** Sent as a bearer token where the store asks for one. */
  readonly token?: string;
  /** Pause before the first retry, 250 if left out. */
  readonly backoffMs?: number;
  /** A request is not tried again after this time, 300,000 if left out. */
  readonly retryMsMax?: number;
  /** More headers of each request, asked for each: what a trace is carried by. */
  readonly headers?: () => Readonly<Record<string, string>>;
  /** Gives a new URL of the same session, once the old one is not good any more. */
  readonly renew?: (signal: AbortSignal) => Promise<string>;
}

const Stored = z.object({
  key: z.string().max(512).optional(),
  bytes: Count,
  sha256: Sha256,
});

/** Not every store can tell the digest of a part: one without counts as another one. */
const Held = z.object({ number: Count, bytes: Count, sha256: Sha256.optional() });

const Holding = z.object({
  parts: z.array(Held).max(PARTS_MAX),
  completed: Stored.optional(),
  /** True where the store itself takes parts. */
  direct: z.boolean().optional(),
});
type Holding = z.output<typeof Holding>;

const Completed = z.object({ object: Stored });

interface Line {
  line: SessionLine;
  readonly name: string;
  readonly signal: AbortSignal;
  readonly renew: UploadOptions['renew'];
}

interface Session extends Line {
  holding: Holding;
  parts: number;
  /** False once the store itself could not be reached: the uploader takes the parts then. */
  direct: boolean;
}

/**
 * Opens an upload session (docs/spec/upload.md) and asks what it holds, so that a dead store is
 * noticed before anything is collected. Parts that are there already are not sent again; what an
 * earlier attempt left that differs from the first part is dropped.
 * All calls reject with UploadFault, or with what the signal aborts with.
 */
export async function uploadSession(
  options: UploadOptions,
  signal: AbortSignal,
): Promise<ObjectSink> {
  const line: SessionLine = {
    url: sessionUrl(options.url, options.name),
    token: options.token,
    backoffMs: options.backoffMs ?? BACKOFF_MS,
    retryMsMax: options.retryMsMax ?? RETRY_MS_MAX,
    headers: options.headers,
  };
  const { name, renew } = options;
  const holding = await ask({ line, name, signal, renew });
  const direct = holding.direct === true;
  const session: Session = { line, name, signal, renew, holding, parts: 0, direct };
  return {
    part: (bytes, sha256Hex) => sendPart(session, { bytes, sha256Hex }),
    complete: (whole) => complete(session, whole),
    abort: () => abandon(session).catch(() => {}),
  };
}

function sessionUrl(text: string, name: string): URL {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol) && url.username === '') return url;
  throw new UploadFault('url-refused', `${name}: the upload URL is no http or https URL`);
}

/** The statuses of a URL that was good once, or never. */
const URL_REFUSED: ReadonlySet<number | undefined> = new Set([401, 403]);

/** A URL lives shorter than a long collection: one that is refused is renewed once a request. */
async function exchanged(session: Line, request: Exchange): Promise<string> {
  const { name, signal, renew } = session;
  try {
    return await exchange(session.line, request, signal);
  } catch (error) {
    const refused = error instanceof UploadFault && URL_REFUSED.has(error.status);
    if (!refused || renew === undefined) throw error;
  }
  session.line = { ...session.line, url: sessionUrl(await renew(signal), name) };
  return await exchange(session.line, request, signal);
}

async function ask(session: Line): Promise<Holding> {
  const what = `${session.name}: ask for parts`;
  const text = await exchanged(session, { what, method: 'GET', path: '' });
  return parse(Holding, text, what);
}

interface Part {
  readonly number: number;
  readonly bytes: Uint8Array;
  readonly sha256Hex: string;
}

async function sendPart(
  session: Session,
  { bytes, sha256Hex }: { readonly bytes: Uint8Array; readonly sha256Hex: string },
): Promise<void> {
  session.parts += 1;
  const part = { number: session.parts, bytes, sha256Hex };
  // An object that stands is compared as a whole, when its digest is known.
  if (session.holding.completed !== undefined) return;
  if (session.holding.parts.some((one) => isPart(one, part))) return;
  if (part.number === 1 && session.holding.parts.length > 0) await dropLeftovers(session);
  if (session.direct && (await sendDirect(session, part))) return;
  const base64 = Buffer.from(sha256Hex, 'hex').toString('base64');
  await exchanged(session, {
    what: `${session.name}: part ${part.number}`,
    method: 'PUT',
    path: `/parts/${part.number}`,
    headers: {
      'content-digest': `sha-256=:${base64}:`,
      'content-type': 'application/octet-stream',
    },
    body: bytes,
    done: () => isThere(session, part),
  });
}

function isPart(there: z.output<typeof Held>, part: Part): boolean {
  return there.number === part.number && there.sha256 === part.sha256Hex;
}

async function isThere(session: Session, part: Part): Promise<boolean> {
  return (await ask(session)).parts.some((one) => isPart(one, part));
}

const Direct = z.object({
  direct: z
    .object({ url: z.string().max(16_384), headers: z.record(z.string(), z.string().max(1_024)) })
    .optional(),
});

/** How long the store itself is tried before the uploader takes the part. */
const DIRECT_RETRY_MS_MAX = 15_000;

/** Sends a part to the store itself; false where the uploader must take it after all. */
async function sendDirect(session: Session, part: Part): Promise<boolean> {
  const { number, bytes, sha256Hex } = part;
  const what = `${session.name}: part ${number}`;
  const text = await exchanged(session, {
    what: `${what}: ask where it goes`,
    method: 'POST',
    path: `/parts/${number}`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ bytes: bytes.length, sha256: sha256Hex }),
  });
  const { direct } = parse(Direct, text, what);
  if (direct === undefined) return true;
  const { backoffMs, retryMsMax } = session.line;
  const line = {
    url: sessionUrl(direct.url, session.name),
    token: undefined,
    backoffMs,
    retryMsMax: Math.min(retryMsMax, DIRECT_RETRY_MS_MAX),
  };
  const { headers } = direct;
  try {
    const put = { what, method: 'PUT', path: '', headers, body: bytes } as const;
    await exchange(line, put, session.signal);
    return true;
  } catch (error) {
    if (!(error instanceof UploadFault)) throw error;
    // Without an answer there is no way to the store from here, and each part would wait for it.
    if (error.status === undefined) session.direct = false;
    return await isThere(session, part);
  }
}

async function dropLeftovers(session: Session): Promise<void> {
  const what = `${session.name}: drop an earlier attempt`;
  await exchanged(session, { what, method: 'DELETE', path: '' });
  session.holding = { parts: [] };
}

async function complete(
  session: Session,
  whole: { readonly bytes: number; readonly sha256Hex: string },
): Promise<StoredRef> {
  const { name, holding } = session;
  const stored = holding.completed ?? (await askToComplete(session, whole));
  const { bytes, sha256, key } = stored;
  if (bytes === whole.bytes && sha256 === whole.sha256Hex) {
    return { name, bytes, sha256, ...(key === undefined ? {} : { key }) };
  }
  if (holding.completed === undefined) {
    throw new UploadFault('digest-mismatch', `${name}: the store completed another object`);
  }
  const message = `${name}: another object stands there already and is never replaced`;
  throw new UploadFault('part-conflict', message);
}

async function askToComplete(
  session: Session,
  whole: { readonly bytes: number; readonly sha256Hex: string },
): Promise<z.output<typeof Stored>> {
  const what = `${session.name}: complete`;
  const { parts } = session;
  const text = await exchanged(session, {
    what,
    method: 'POST',
    path: '/complete',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ parts, bytes: whole.bytes, sha256: whole.sha256Hex }),
  });
  return parse(Completed, text, what).object;
}

/** Tells the store to drop the parts. Best effort: what nobody completes, it sweeps away later. */
async function abandon(session: Session): Promise<void> {
  const line = { ...session.line, retryMsMax: 0 };
  const request = { what: `${session.name}: abandon`, method: 'DELETE', path: '' } as const;
  await exchange(line, request, AbortSignal.timeout(ABORT_MS_MAX));
}

function parse<Shape extends z.ZodType>(shape: Shape, text: string, what: string): z.output<Shape> {
  try {
    return shape.parse(JSON.parse(text));
  } catch {
    throw new UploadFault('answer-invalid', `${what}: the answer is not that of an upload session`);
  }
}
