// SPDX-License-Identifier: Apache-2.0
import { on } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Refusal } from '../domain/problem.ts';

const IDLE_MS_MAX = 20_000;
/** Chunks that lie ready before the connection is paused, and after which it goes on. */
const READY = { highWaterMark: 8, lowWaterMark: 2 };

/**
 * The body of a request as it comes in; chunks that are `lent` are gone when the next one is asked
 * for. Throws Refusal where it is longer than `bytesMax` or where nothing comes for a while; the
 * connection stays, so that the refusal can be told.
 */
export async function* bodyOf(
  incoming: IncomingMessage,
  limits: { readonly bytesMax: number; readonly idleMs?: number; readonly lent?: boolean },
): AsyncGenerator<Uint8Array> {
  const { bytesMax, idleMs = IDLE_MS_MAX, lent } = limits;
  let bytes = 0;
  for await (const chunk of chunksOf(incoming, idleMs)) {
    bytes += chunk.length;
    if (bytes > bytesMax) {
      throw new Refusal('too-large', `a body here has at most ${bytesMax} bytes`);
    }
    yield chunk;
    if (lent) giveBack(chunk);
  }
}

async function* chunksOf(incoming: IncomingMessage, idleMs: number): AsyncGenerator<Buffer> {
  if (incoming.readableEnded) return;
  if (incoming.destroyed) refuse(incoming.errored);
  const idle = new AbortController();
  let waiting = true;
  const timer = setTimeout(() => {
    // Whoever takes the bytes may be slow: that is no silence of the sender.
    if (waiting) idle.abort(tooSlow(idleMs));
    else timer.refresh();
  }, idleMs);
  try {
    const events = on(incoming, 'data', { ...READY, close: ['end'], signal: idle.signal });
    incoming.resume();
    for await (const [chunk] of events as AsyncIterable<[Buffer]>) {
      waiting = false;
      yield chunk;
      waiting = true;
      timer.refresh();
    }
  } catch (error) {
    refuse(idle.signal.aborted ? idle.signal.reason : error);
  } finally {
    clearTimeout(timer);
    // What comes now is for whoever reads next, or for nobody.
    incoming.pause();
  }
}

/**
 * Frees the memory of a chunk at once, where the chunk is all of it: such buffers, left to the
 * garbage collector, make it look through the whole heap all the time.
 */
function giveBack({ buffer, byteLength }: Buffer): void {
  if (byteLength === buffer.byteLength && buffer instanceof ArrayBuffer) buffer.transfer(0);
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

function tooSlow(milliseconds: number): Refusal {
  return new Refusal('too-slow', `nothing came for ${milliseconds} ms: send it again`);
}
