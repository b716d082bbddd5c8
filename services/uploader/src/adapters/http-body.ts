// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http';
import { Refusal } from '../domain/problem.ts';

const IDLE_MS_MAX = 20_000;

/**
 * The body of a request as it comes in. Throws Refusal where it is longer than `bytesMax` or where
 * nothing comes for a while; the connection stays, so that the refusal can be told.
 */
export async function* bodyOf(
  incoming: IncomingMessage,
  limits: { readonly bytesMax: number; readonly idleMs?: number },
): AsyncGenerator<Uint8Array> {
  const { bytesMax, idleMs = IDLE_MS_MAX } = limits;
  const chunks = incoming.iterator({ destroyOnReturn: false });
  let bytes = 0;
  for (;;) {
    const { done, value } = await inTime(chunks.next(), idleMs).catch(refuse);
    if (done === true) return;
    bytes += (value as Uint8Array).length;
    if (bytes > bytesMax)
      throw new Refusal('too-large', `a body here has at most ${bytesMax} bytes`);
    yield value as Uint8Array;
  }
}

/**
 * Reads what a refused request still sends: a connection that is closed on unread bytes takes the
 * answer with it. False where there is too much, or it comes too slowly, to wait for.
 */
export async function spill(
  incoming: IncomingMessage,
  limits: { readonly bytesMax: number; readonly idleMs?: number },
): Promise<boolean> {
  if (incoming.readableEnded) return true;
  if (Number(incoming.headers['content-length'] ?? 0) > limits.bytesMax) return false;
  try {
    for await (const _ of bodyOf(incoming, limits));
    return true;
  } catch {
    return false;
  }
}

/** A connection that broke is the sender's trouble, not a fault of this service. */
function refuse(cause: unknown): never {
  if (cause instanceof Refusal) throw cause;
  throw new Refusal('body-refused', 'the body ended early: send it again');
}

async function inTime<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const message = `nothing came for ${milliseconds} ms: send it again`;
  const timer = setTimeout(() => reject(new Refusal('too-slow', message)), milliseconds);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
    // Where the time was up first, nobody waits for this any more.
    work.catch(() => undefined);
  }
}
