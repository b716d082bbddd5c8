// SPDX-License-Identifier: Apache-2.0
import { Entry } from '@impound/contracts/entry.ts';
import type { Envelope } from '@impound/contracts/envelope.ts';
import { eventSubject } from '@impound/contracts/event.ts';
import type { Draft } from './batch.ts';
import { contractOf } from './contracts.ts';

/** An entry as the log holds it. */
export interface StoredEntry {
  readonly seq: number;
  /** Leaf hash, lower-case hex. */
  readonly hash: string;
  /** The exact text that was hashed. */
  readonly text: string;
  /** What is in the text, where it need not be read out of it. */
  readonly event?: Envelope | undefined;
}

/** Whether it is an entry: what only vouches for a seal has no text, and nobody is told of it. */
export function isTold({ text }: StoredEntry): boolean {
  return text !== '';
}

/** An entry as the log holds it, once it is committed. */
export function storedOf({ seq, hash, entry, event }: Draft): StoredEntry {
  return { seq, hash, text: entry, event };
}

/** The entry that a text is. Throws ZodError where it is none. */
export function entryIn(text: string): Entry {
  return Entry.parse(JSON.parse(text));
}

/** The event inside an entry's text. Throws ZodError where it is no entry. */
export function eventIn(text: string): Envelope {
  return entryIn(text).event;
}

/** When an entry was recorded, in Unix milliseconds. */
export function recordedMsOf(text: string): number {
  return Date.parse(entryIn(text).recordedAt);
}

/** Where an entry is published. */
export function subjectOf(event: Envelope): string {
  const route = contractOf(event.type)?.route(event.data) ?? '_';
  return eventSubject({
    type: event.type,
    route,
    tenant: event.tenant,
    acquisitionId: event.subject,
  });
}
