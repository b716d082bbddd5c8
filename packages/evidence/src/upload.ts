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
  /** Gives a new URL of the same session, once the old one is not good any more. */
  readonly renew?: (signal: AbortSignal) => Promise<string>;
}

const Stored = z.object({
  key: z.string().max(512).optional(),
  bytes: Count,
  sha256: Sha256,
});

const Holding = z.object({
  parts: z.array(z.object({ number: Count, bytes: Count, sha256: Sha256 })).max(PARTS_MAX),
  completed: Stored.optional(),
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
  };
  const { name, renew } = options;
  const holding = await ask({ line, name, signal, renew });
  const session: Session = { line, name, signal, renew, holding, parts: 0 };
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

async function sendPart(
  session: Session,
  part: { readonly bytes: Uint8Array; readonly sha256Hex: string },
): Promise<void> {
  const { bytes, sha256Hex } = part;
  session.parts += 1;
  const number = session.parts;
  // An object that stands is compared as a whole, when its digest is known.
  if (session.holding.completed !== undefined) return;
  const there = session.holding.parts.find((one) => one.number === number);
  if (there?.sha256 === sha256Hex) return;
  if (number === 1 && session.holding.parts.length > 0) await dropLeftovers(session);
  const base64 = Buffer.from(sha256Hex, 'hex').toString('base64');
  await exchanged(session, {
    what: `${session.name}: part ${number}`,
    method: 'PUT',
    path: `/parts/${number}`,
    headers: {
      'content-digest': `sha-256=:${base64}:`,
      'content-type': 'application/octet-stream',
    },
    body: bytes,
    done: async () => {
      const { parts } = await ask(session);
      return parts.some((one) => one.number === number && one.sha256 === sha256Hex);
    },
  });
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
