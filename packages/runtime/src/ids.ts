// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from 'node:crypto';
import type { WorkerId } from '@impound/contracts/ids.ts';

/**
 * The id of what is said because of something: UUIDv8 (RFC 9562) from SHA-256 of cause, type and
 * a discriminator, so that the same cause always gives the same id. It begins as its cause does,
 * which in a chain is the time of its first id: an index over ids then grows at its end.
 */
export function childId(causeId: string, type: string, discriminator = '0'): string {
  const digest = createHash('sha256').update([causeId, type, discriminator].join('\n')).digest();
  const id = uuidOf(digest.subarray(0, 16), 8);
  const began = TIME.exec(causeId)?.[0].toLowerCase() ?? '';
  return began + id.slice(began.length);
}

/** The first 48 bits of a UUID; some causes are other texts. */
const TIME = /^[0-9a-f]{8}-[0-9a-f]{4}(?=-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$)/i;

/** A UUIDv7 (RFC 9562): what begins a chain brings its own. */
export function newId(nowMs = Date.now()): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(nowMs, 0, 6);
  return uuidOf(bytes, 7);
}

/** The name of one process of a service: another one after each start. */
export function newWorkerId(service: string): WorkerId {
  return [service, process.pid, randomBytes(4).toString('hex')].join('-') as WorkerId;
}

function uuidOf(bytes: Uint8Array, version: number): string {
  const copy = Buffer.from(bytes);
  copy[6] = ((copy[6] ?? 0) & 0x0f) | (version << 4);
  copy[8] = ((copy[8] ?? 0) & 0x3f) | 0x80;
  const hex = copy.toString('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-');
}
