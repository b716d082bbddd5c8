// SPDX-License-Identifier: Apache-2.0
import { createHash, hash } from 'node:crypto';
import { FRAME_BYTES, PART_BYTES_MAX, PART_BYTES_MIN } from './limits.ts';
import { roomOf } from './room.ts';
import type { ObjectSink, StoredRef } from './sink.ts';

/** What may stay together: a frame that did not shrink, and no part outgrows PART_BYTES_MAX. */
export const WRITE_BYTES_MAX = FRAME_BYTES + FRAME_BYTES / 64;
const ROOM_BYTES = PART_BYTES_MIN + WRITE_BYTES_MAX;

/** Gathers bytes into parts and hashes the whole. */
export interface PartWriter {
  /** Takes bytes that stay in one part with all that was added since the parts last settled. */
  add(bytes: Uint8Array): void;
  /** Here a part may end: at most WRITE_BYTES_MAX bytes are added before the next time. */
  settle(): Promise<void>;
  /** Adds, then settles. */
  write(bytes: Uint8Array): Promise<void>;
  /** Stores the last part and completes the object. */
  complete(): Promise<StoredRef>;
}

/**
 * Cuts parts where it settles. Holds one part being filled and one being stored, and takes
 * turns with their memory: what a part costs is paid twice and not once a part.
 */
export function partWriter(sink: ObjectSink): PartWriter {
  const whole = createHash('sha256');
  let bytesTotal = 0;
  let [filling, spare] = [roomOf(ROOM_BYTES), roomOf(ROOM_BYTES)];
  let unsettled = 0;
  let stored: Promise<void> = Promise.resolve();

  async function cut(): Promise<void> {
    if (filling.used() === 0) return;
    const part = filling.filled();
    await stored;
    // Only now nobody reads the other one any more.
    [filling, spare] = [spare, filling];
    filling.empty();
    stored = sink.part(part, hash('sha256', part));
    // The next cut or complete() awaits it; until then a rejection must not count as unhandled.
    stored.catch(() => {});
  }

  function add(bytes: Uint8Array): void {
    unsettled += bytes.length;
    if (unsettled > WRITE_BYTES_MAX || ROOM_BYTES > PART_BYTES_MAX) {
      throw new RangeError(`${unsettled} bytes do not fit a part`);
    }
    whole.update(bytes);
    bytesTotal += bytes.length;
    filling.put(bytes);
  }

  async function settle(): Promise<void> {
    unsettled = 0;
    if (filling.used() >= PART_BYTES_MIN) await cut();
  }

  async function write(bytes: Uint8Array): Promise<void> {
    add(bytes);
    await settle();
  }

  async function complete(): Promise<StoredRef> {
    await cut();
    await stored;
    return await sink.complete({ bytes: bytesTotal, sha256Hex: whole.digest('hex') });
  }

  return { add, settle, write, complete };
}
