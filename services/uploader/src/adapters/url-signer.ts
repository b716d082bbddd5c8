// SPDX-License-Identifier: Apache-2.0
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Secret } from '@impound/runtime/secret.ts';
import {
  formatSession,
  keyOf,
  type ObjectName,
  readKey,
  readSession,
  type SessionName,
} from '../domain/object-name.ts';

/** Writes and reads the URLs of docs/spec/upload.md. */
export interface UrlSigner {
  upload(session: SessionName, expiresMs: number): string;
  read(object: ObjectName, expiresMs: number): string;
  /** The upload that a URL is good for; undefined where it is good for nothing. */
  readUpload(opaque: string, query: SignedQuery): SessionName | undefined;
  /** The object that a URL is good for; undefined where it is good for nothing. */
  readObject(opaque: string, query: SignedQuery): ObjectName | undefined;
}

/** What a signed URL says of itself. */
export interface SignedQuery {
  readonly exp: string | undefined;
  readonly sig: string | undefined;
}

const OPAQUE_CHARACTERS_MAX = 1_024;
const SECONDS = /^\d{1,12}$/;
const CONTEXT = 'impound-url-v1';

/** HMAC-SHA256 over purpose, name and time of expiry (Unix seconds), each on a line of its own. */
export function urlSigner(of: {
  readonly key: Secret;
  readonly base: () => string;
  readonly now: () => number;
}): UrlSigner {
  const sign = (purpose: string, name: string, exp: string) =>
    createHmac('sha256', of.key.reveal()).update([CONTEXT, purpose, name, exp].join('\n')).digest();

  function write(purpose: 'uploads' | 'objects', name: string, expiresMs: number): string {
    const exp = String(Math.floor(expiresMs / 1_000));
    const sig = sign(purpose, name, exp).toString('base64url');
    const opaque = Buffer.from(name).toString('base64url');
    return `${of.base()}/v1/${purpose}/${opaque}?exp=${exp}&sig=${sig}`;
  }

  function read(purpose: string, opaque: string, { exp = '', sig = '' }: SignedQuery) {
    if (!SECONDS.test(exp) || opaque.length + sig.length > OPAQUE_CHARACTERS_MAX) return undefined;
    const name = Buffer.from(opaque, 'base64url').toString('utf8');
    const given = Buffer.from(sig, 'base64url');
    const right = sign(purpose, name, exp);
    if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined;
    return Number(exp) * 1_000 > of.now() ? name : undefined;
  }

  return {
    upload: (session, expiresMs) => write('uploads', formatSession(session), expiresMs),
    read: (object, expiresMs) => write('objects', keyOf(object), expiresMs),
    readUpload: (opaque, query) => readSession(read('uploads', opaque, query) ?? ''),
    readObject: (opaque, query) => readKey(read('objects', opaque, query) ?? ''),
  };
}
