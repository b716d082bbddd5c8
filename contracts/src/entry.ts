// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { canonical } from './canonical.ts';
import { Envelope } from './envelope.ts';
import { AcquisitionId, Sha256, Time } from './ids.ts';

/** What `acqPrev` of the first entry of a chain says. */
export const NO_PREVIOUS = '0'.repeat(64);

/**
 * One entry of the ledger: the event exactly as it was said, and what the ledger adds.
 * `acqSeq` counts from 1 and is the chain's version; `acqPrev` is the leaf hash of the entry
 * before it in this chain; `salt` is 128 random bits in base64. docs/spec/entry.md has the bytes.
 */
export const Entry = z.looseObject({
  v: z.literal(1),
  acq: AcquisitionId,
  acqSeq: z.int().min(1),
  acqPrev: Sha256,
  recordedAt: Time,
  salt: z.base64().length(24),
  event: Envelope,
});
export type Entry = z.output<typeof Entry>;

/** What the ledger adds to an event. */
export interface EntryHead {
  readonly acq: string;
  readonly acqSeq: number;
  readonly acqPrev: string;
  readonly recordedAt: string;
  readonly salt: string;
}

/**
 * The text whose UTF-8 bytes are a Merkle leaf. `eventText` is already canonical, so it is put in
 * as it is: canonical JSON of an object is made of the canonical JSON of its parts.
 */
export function entryText(head: EntryHead, eventText: string): string {
  const before = canonical({ acq: head.acq, acqPrev: head.acqPrev, acqSeq: head.acqSeq });
  const after = canonical({ recordedAt: head.recordedAt, salt: head.salt, v: 1 });
  return `${before.slice(0, -1)},"event":${eventText},${after.slice(1)}`;
}
