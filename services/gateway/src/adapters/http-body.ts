// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http';
import { readJson } from '../domain/json-text.ts';
import { BODY_BYTES_MAX, BODY_MS_MAX } from '../domain/limits.ts';
import { Refusal } from '../domain/problem.ts';

/** The JSON body of a request. Throws Refusal where it is none, too large or too slow. */
export async function jsonBody(incoming: IncomingMessage, msMax = BODY_MS_MAX): Promise<unknown> {
  const type = incoming.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new Refusal('media-refused', 'send Content-Type: application/json');
  }
  if (incoming.headers['content-encoding'] !== undefined) {
    throw new Refusal('media-refused', 'send it without Content-Encoding');
  }
  const bytes = await bodyOf(incoming, msMax);
  try {
    return readJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal('json-refused', 'send JSON in UTF-8');
  }
}

const BODIES = new WeakMap<IncomingMessage, Promise<Uint8Array>>();

/** The bytes of a body exactly as they came, read once. Throws Refusal. */
export async function bodyOf(incoming: IncomingMessage, msMax = BODY_MS_MAX): Promise<Uint8Array> {
  if (Number(incoming.headers['content-length'] ?? 0) > BODY_BYTES_MAX) throw tooLarge();
  const known = BODIES.get(incoming) ?? bytesOf(incoming, msMax);
  BODIES.set(incoming, known);
  return await known;
}

function tooLarge(): Refusal {
  return new Refusal('too-large', `a body has at most ${BODY_BYTES_MAX} bytes`);
}

/** Collects until the end, the limit or the time, and leaves the connection as it is. */
async function bytesOf(incoming: IncomingMessage, msMax: number): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const take = (chunk: Uint8Array) => {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) reject(tooLarge());
    else chunks.push(chunk);
  };
  const slow = () => {
    reject(new Refusal('too-slow', `send the whole body within ${msMax} ms`));
  };
  const broken = () => reject(new Refusal('json-refused', 'the body ended early: send it again'));
  const ended = () => resolve(Buffer.concat(chunks));
  const timer = setTimeout(slow, msMax);
  incoming.on('data', take).once('end', ended).once('error', broken).once('close', broken);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    incoming.off('data', take).off('end', ended).off('close', broken);
  }
}
