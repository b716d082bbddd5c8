// SPDX-License-Identifier: Apache-2.0
import type { Database } from '@impound/runtime/postgres.ts';
import { OWN_TYPES, type OwnKept } from '../domain/own-chain.ts';
import { arrayText } from './array-text.ts';

/** The chain in which the log speaks of itself: the one that its first entry begins. */
export async function readOwn(sql: Database): Promise<OwnKept> {
  const rows = await sql`
    with own as (select acq from ledger_entry where idx = 0), last as (
      select acq, max(acq_seq) as version from ledger_entry join own using (acq) group by acq
    )
    select e.idx, e.acq_seq, e.type, encode(e.leaf, 'hex') as leaf, e.entry
    from last join ledger_entry e using (acq)
    where e.acq_seq in (1, last.version) or e.type = any(${arrayText(OWN_TYPES)}::text[])
    order by e.acq_seq`;
  const kept = rows.filter((row, at) => at === 0 || OWN_TYPES.includes(String(row['type'])));
  const last = rows.at(-1);
  return {
    entries: kept.map((row) => ({
      seq: Number(row['idx']),
      hash: String(row['leaf']),
      text: (row['entry'] as Buffer).toString('utf8'),
    })),
    version: Number(last?.['acq_seq'] ?? 0),
    last: String(last?.['leaf'] ?? ''),
  };
}
