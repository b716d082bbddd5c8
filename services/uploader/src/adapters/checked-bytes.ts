// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type Found, type Part, StoreFault } from '../domain/evidence-store.ts';
import { notAsAnnounced } from '../domain/parts.ts';

/**
 * The bytes of a part, of which the last are held back until all are known to be right: a store
 * that is told the length beforehand never gets a wrong part whole.
 */
export async function* checkedPart(
  part: Part,
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let bytes = 0;
  let held: Uint8Array | undefined;
  for await (const chunk of content) {
    if (chunk.length === 0) continue;
    bytes += chunk.length;
    if (bytes > part.bytes) throw notAsAnnounced(part.number);
    hash.update(chunk);
    if (held !== undefined) yield held;
    held = chunk;
  }
  if (bytes !== part.bytes || hash.digest('hex') !== part.sha256) throw notAsAnnounced(part.number);
  if (held !== undefined) yield held;
}

/** How often in a row a reading may break off without one byte. */
const BREAKS_MAX = 4;
const BREAK_MS = 250;

/** An object of a known size that can be read from any byte on. */
interface Readable {
  readonly bytes: number;
  readonly read: (start: number) => AsyncIterable<Uint8Array>;
}

/**
 * Reads and hashes a whole object in constant memory. Where the connection breaks off it goes on
 * behind the last byte. Throws StoreFault where the store gives other than `bytes` bytes.
 */
export async function hashSteadily(of: Readable, signal: AbortSignal): Promise<Found> {
  const hash = createHash('sha256');
  let bytes = 0;
  let breaks = 0;
  while (bytes < of.bytes) {
    const before = bytes;
    try {
      for await (const chunk of of.read(bytes)) {
        signal.throwIfAborted();
        bytes += chunk.length;
        hash.update(chunk);
      }
      if (bytes < of.bytes) throw new StoreFault('store-away', 'the store ended an object early');
    } catch (error) {
      signal.throwIfAborted();
      breaks = bytes > before ? 0 : breaks + 1;
      await pause(error, breaks, signal);
    }
  }
  return { bytes, sha256: hash.digest('hex') };
}

async function pause(error: unknown, breaks: number, signal: AbortSignal): Promise<void> {
  const passes = !(error instanceof StoreFault) || error.code === 'store-away';
  if (!passes || breaks >= BREAKS_MAX) throw error;
  await delay(BREAK_MS * 2 ** breaks, undefined, { signal });
}
