// SPDX-License-Identifier: Apache-2.0
import type { Database } from '@impound/runtime/postgres.ts';
import { DECIDING_TYPES } from '../domain/contracts.ts';
import { type ChainHead, firstHead, moved } from '../domain/head.ts';
import { eventIn } from '../domain/telling.ts';
import { arrayText } from './array-text.ts';

/**
 * Where chains stand, from the first entry of each, the last, and those between that decide what
 * may follow; null: there is no such chain.
 */
export async function readHeads(
  sql: Database,
  acqs: readonly string[],
): Promise<Map<string, ChainHead | null>> {
  const heads = new Map<string, ChainHead | null>(acqs.map((acq) => [acq, null]));
  if (acqs.length === 0) return heads;
  const rows = await sql`
    select e.acq, e.acq_seq, encode(e.leaf, 'hex') as leaf, e.entry
    from unnest(${arrayText(acqs)}::uuid[]) as asked (acq)
    cross join lateral (
      select max(acq_seq) as version from ledger_entry where acq = asked.acq
    ) as last
    join ledger_entry e on e.acq = asked.acq
      and (e.acq_seq = last.version or e.type = any(${arrayText([...DECIDING_TYPES])}::text[]))
    order by e.acq, e.acq_seq`;
  for (const row of rows) {
    const acq = String(row['acq']);
    const event = eventIn((row['entry'] as Buffer).toString('utf8'));
    const to = { version: Number(row['acq_seq']), last: String(row['leaf']) };
    heads.set(acq, moved(heads.get(acq) ?? firstHead(event), event, to));
  }
  return heads;
}

/** How long chains are; one that there is not is left out. */
export async function readVersions(
  sql: Database,
  acqs: readonly string[],
): Promise<Map<string, number>> {
  const rows = await sql`
    select asked.acq, last.acq_seq from unnest(${arrayText(acqs)}::uuid[]) as asked (acq)
    cross join lateral (
      select acq_seq from ledger_entry where acq = asked.acq order by acq_seq desc limit 1
    ) as last`;
  return new Map(rows.map((row) => [String(row['acq']), Number(row['acq_seq'])]));
}
