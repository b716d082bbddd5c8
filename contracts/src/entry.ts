// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
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
 * The text whose UTF-8 bytes are a Merkle leaf: canonical JSON of an object is made of that of its
 * parts. `eventText` is canonical already, and in ids, hashes, times and base64 there is
 * nothing to escape.
 */
export function entryText(head: EntryHead, eventText: string): string {
  const { acq, acqPrev, acqSeq, recordedAt, salt } = head;
  return (
    `{"acq":"${acq}","acqPrev":"${acqPrev}","acqSeq":${acqSeq},"event":${eventText},` +
    `"recordedAt":"${recordedAt}","salt":"${salt}","v":1}`
  );
}
