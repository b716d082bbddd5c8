// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { Later, messageOf, Never } from '@impound/runtime/fault.ts';
import { timestampRequest } from './request.ts';
import { checkToken, type Stamped, TOKEN_BYTES_MAX } from './token.ts';

const ATTEMPT_MS_MAX = 20_000;
const AGAIN_MS = 30_000;
const NONCE_BYTES = 16;

/** A time stamping authority (RFC 3161), and by which certificates it is known. */
export interface Authority {
  /** Where requests are posted to. */
  readonly url: URL;
  /** Certificates in PEM, one of which its own must lead to. */
  readonly trusted: readonly string[];
}

/** A token, as the authority answered it, and what it says. */
export interface Stamp extends Stamped {
  /** The DER of the whole TimeStampResp: what `openssl ts -verify -in` reads. */
  readonly token: Buffer;
}

/**
 * Has these bytes stamped. Rejects with Later where the authority does not answer as it should now,
 * with Never where what it answers is not to be believed, or where it refuses for good.
 */
export async function stamp(
  authority: Authority,
  data: Uint8Array,
  signal: AbortSignal,
): Promise<Stamp> {
  const nonce = randomBytes(NONCE_BYTES);
  const token = await post(authority.url, timestampRequest(data, nonce), signal);
  const stamped = await checkToken(token, { data, nonce, trusted: authority.trusted });
  return { ...stamped, token };
}

async function post(url: URL, body: Buffer, signal: AbortSignal): Promise<Buffer> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_MS_MAX)]);
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/timestamp-query' },
      body: new Uint8Array(body),
      // An authority elsewhere is another one: the operator names it.
      redirect: 'error',
      signal: limit,
    });
    return await bodyOf(url, answer);
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof Never || cause instanceof Later) throw cause;
    throw new Later('authority-away', AGAIN_MS, `${url.host}: ${messageOf(cause)}`, { cause });
  }
}

/** Statuses that say that the request itself is wrong here: the same again would not help. */
const FOR_GOOD = [400, 401, 403, 404, 405, 410, 415];

async function bodyOf(url: URL, answer: Response): Promise<Buffer> {
  const { status, headers } = answer;
  const kind = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (status === 200 && kind === 'application/timestamp-reply') return bounded(url, answer);
  await answer.body?.cancel();
  if (FOR_GOOD.includes(status)) {
    throw new Never('authority-refuses', `${url.host} answers ${status}: is the address right?`);
  }
  const said = status === 200 ? `content type ${kind?.slice(0, 60)}` : `status ${status}`;
  throw new Later('authority-away', AGAIN_MS, `${url.host} answers ${said}`);
}

async function bounded(url: URL, answer: Response): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of answer.body ?? []) {
    bytes += part.length;
    if (bytes > TOKEN_BYTES_MAX) {
      throw new Never('timestamp-malformed', `${url.host} answers more than a token may have`);
    }
    parts.push(part);
  }
  return Buffer.concat(parts);
}
