// SPDX-License-Identifier: Apache-2.0
import { canonical } from '@impound/contracts/canonical.ts';
import { Entry, NO_PREVIOUS } from '@impound/contracts/entry.ts';
import { LogBeganV1 } from '@impound/contracts/log/began.v1.ts';
import { contractOf } from './contracts.ts';
import { projectionOf } from './projection.ts';

/** What the log's index holds of one entry: all of it follows from the bytes. */
export interface Columns {
  readonly eventId: string;
  readonly acq: string;
  readonly acqSeq: number;
  readonly tenant: string;
  readonly caseId: string;
  readonly actor: string;
  readonly speaker: string;
  readonly cause: string | null;
  readonly type: string;
  readonly target: string | null;
  readonly ends: boolean;
  readonly eventAt: string;
  readonly recordedAt: string;
}

/** The entry before one in its chain, which was looked at already. */
export interface Before {
  readonly idx: number;
  /** Its leaf hash, lower-case hex. */
  readonly leaf: string;
  readonly acqSeq: number;
  readonly tenant: string;
  readonly caseId: string;
}

/** Reads an entry's bytes, or says why they are none. */
export function readEntry(text: string): Entry | string {
  try {
    const value: unknown = JSON.parse(text);
    if (canonical(value) !== text) return 'its bytes are no canonical JSON';
    const entry = Entry.safeParse(value);
    if (!entry.success) return `it is no entry: ${entry.error.issues[0]?.path.join('.')}`;
    const { event, acq } = entry.data;
    if (event.subject !== acq) return 'its event belongs to another chain';
    const contract = contractOf(event.type);
    if (contract?.begins && !contract.shape.safeParse(event.data).success) {
      return `the data of its event is not what ${event.type} says`;
    }
    return entry.data;
  } catch (error) {
    return `it cannot be read: ${String(error).slice(0, WHY_CHARACTERS_MAX)}`;
  }
}

const WHY_CHARACTERS_MAX = 200;

/** What the index must hold of an entry. */
export function columnsOf(entry: Entry, before: Before | undefined): Columns {
  const { event, acq, acqSeq, recordedAt } = entry;
  return {
    eventId: event.id,
    acq,
    acqSeq,
    tenant: event.tenant,
    caseId: before?.caseId ?? String(event.data['caseId'] ?? ''),
    ...projectionOf(event),
    cause: event.causationid ?? null,
    type: event.type,
    eventAt: event.time,
    recordedAt,
  };
}

/** What is wrong with an entry as a link of its chain (docs/spec/entry.md, section 5). */
export function linkFaults(entry: Entry, before: Before | undefined): readonly string[] {
  const { acqSeq, acqPrev, event } = entry;
  const faults: string[] = [];
  if (acqSeq !== (before?.acqSeq ?? 0) + 1) {
    faults.push(`it says to be entry ${acqSeq} of its chain and follows ${before?.acqSeq ?? 0}`);
  }
  if (acqPrev !== (before?.leaf ?? NO_PREVIOUS)) {
    faults.push('it names another hash than that of the entry before it in its chain');
  }
  if (before !== undefined && before.tenant !== event.tenant) {
    faults.push(`it belongs to tenant ${event.tenant}, its chain to ${before.tenant}`);
  }
  const begins = contractOf(event.type)?.begins === true || event.type === LogBeganV1.type;
  if ((before === undefined) !== begins) {
    faults.push(`${event.type} does not stand where chains begin`);
  }
  return [...faults, ...sealFaults(entry)];
}

/** The seal names how long the chain was and its last hash, so nothing can be left out. */
function sealFaults({ event, acqSeq, acqPrev }: Entry): string[] {
  if (event.type !== 'acquisition.sealed.v1') return [];
  const { entries, lastEntry } = event.data;
  if (entries === acqSeq - 1 && lastEntry === acqPrev) return [];
  return ['the seal names another length or another last hash than its chain has'];
}

/** Which columns differ from what the bytes say, each with both values. */
export function columnFaults(kept: Columns, derived: Columns): readonly string[] {
  return Object.keys(derived)
    .map((key) => key as keyof Columns)
    .filter((key) => kept[key] !== derived[key])
    .map((key) => `column ${key} holds ${short(kept[key])}, its bytes say ${short(derived[key])}`);
}

function short(value: unknown): string {
  return JSON.stringify(value)?.slice(0, WHY_CHARACTERS_MAX) ?? 'nothing';
}
