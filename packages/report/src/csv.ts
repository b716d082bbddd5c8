// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream';
import { stringify } from 'csv-stringify';
import type { Recorded } from './account.ts';
import { actorOf, detail, purposeOf } from './telling.ts';
import { visible } from './visible.ts';

/** The columns: recorded_at is the ledger's clock, claimed_at that of whoever said it. */
const COLUMNS = [
  'index',
  'acquisition',
  'entry',
  'recorded_at',
  'claimed_at',
  'type',
  'actor',
  'actor_kind',
  'authenticated_by',
  'said_by',
  'purpose',
  'detail',
  'event_id',
  'leaf_sha256',
  'previous_sha256',
] as const;

/**
 * The entries as CSV (RFC 4180, with a header line), one entry a line. A cell that a spreadsheet
 * would take for a formula gets an apostrophe in front; what cannot be seen is written as \u{hex}.
 */
export function csv(entries: AsyncIterable<Recorded> | Iterable<Recorded>): AsyncIterable<string> {
  const table = stringify({
    header: true,
    columns: [...COLUMNS],
    record_delimiter: 'windows',
    escape_formulas: true,
  });
  const source = Readable.from(rows(entries));
  source.once('error', (error) => table.destroy(error));
  source.pipe(table);
  return table.setEncoding('utf8');
}

async function* rows(entries: AsyncIterable<Recorded> | Iterable<Recorded>) {
  for await (const recorded of entries) yield row(recorded).map(visible);
}

function row({ entry, leaf, index }: Recorded): string[] {
  const { event } = entry;
  const actor = actorOf(entry);
  return [
    index === undefined ? '' : String(index),
    entry.acq,
    String(entry.acqSeq),
    entry.recordedAt,
    event.time,
    event.type,
    actor.id,
    actor.kind,
    actor.authn,
    event.source,
    purposeOf(entry),
    detail(event.type, event.data),
    event.id,
    leaf,
    entry.acqPrev,
  ];
}
