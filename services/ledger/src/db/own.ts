// SPDX-License-Identifier: Apache-2.0
import type { Database } from '@impound/runtime/postgres.ts';
import type { StoredEntry } from '../domain/telling.ts';

/** The chain in which the log speaks of itself: the one that its first entry begins. */
export async function readOwn(sql: Database): Promise<StoredEntry[]> {
  const rows = await sql`
    select idx, encode(leaf, 'hex') as leaf, entry from ledger_entry
    where acq = (select acq from ledger_entry where idx = 0) order by acq_seq`;
  return rows.map((row) => ({
    seq: Number(row['idx']),
    hash: String(row['leaf']),
    text: (row['entry'] as Buffer).toString('utf8'),
  }));
}
