// SPDX-License-Identifier: Apache-2.0
import { leafHash } from '@impound/transparency/hash.ts';
import type { Draft } from '../domain/batch.ts';
import { type KeySaid, keysSaidBy } from '../domain/keys-said.ts';
import { projectionOf } from '../domain/projection.ts';
import type { Added } from '../handlers/ports.ts';

/**
 * A row of ledger_entry, without its index. `entry` is an entry's text; a leaf that is no entry has
 * bytes and hash only.
 */
export type Row = Pick<Whole, 'entry' | 'leaf'> & {
  readonly [Key in keyof Whole]: Whole[Key] | null;
};
type Whole = ReturnType<typeof entryRow>;

/** The rows of what is added, in the order of the log. */
export function rowsOf({ drafts, leaves }: Added): Row[] {
  const entries = drafts.map((draft) => ({ seq: draft.seq, row: entryRow(draft) as Row }));
  const others = leaves.map(({ seq, bytes }) => ({ seq, row: leafRow(bytes) }));
  return [...entries, ...others]
    .toSorted((one, other) => one.seq - other.seq)
    .map(({ row }) => row);
}

function entryRow(draft: Draft) {
  const { event } = draft;
  return {
    eventId: event.id,
    entry: draft.entry as string | Buffer,
    leaf: Buffer.from(draft.hash, 'hex') as Buffer,
    acq: event.subject,
    acqSeq: draft.version,
    tenant: event.tenant,
    caseId: draft.caseId,
    ...projectionOf(event),
    cause: event.causationid ?? null,
    type: event.type,
    eventAt: event.time,
    recordedAt: draft.recordedAt,
  };
}

function leafRow(bytes: Buffer): Row {
  return {
    ...{ eventId: null, acq: null, acqSeq: null, tenant: null, caseId: null, actor: null },
    ...{ speaker: null, cause: null, type: null, target: null, ends: null },
    ...{ eventAt: null, recordedAt: null },
    entry: bytes,
    leaf: leafHash(bytes),
  };
}

/** What these entries say of keys. */
export function keyRowsOf({ drafts }: Added): KeySaid[] {
  return drafts.flatMap(({ seq, event }) => keysSaidBy(event, seq) ?? []);
}
