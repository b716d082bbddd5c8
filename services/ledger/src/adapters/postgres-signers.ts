// SPDX-License-Identifier: Apache-2.0
import type { Database } from '@impound/runtime/postgres.ts';
import { asked } from '../db/guards.ts';
import type { SignerBook } from '../handlers/ledger-signers.ts';

/** Reads from the log's own chain who signs what they say. */
export function postgresSigners(sql: Database): SignerBook {
  return {
    entries: ({ after, below, limit }) =>
      asked(async () => {
        const rows = await sql`
          with own as (select acq from ledger_entry where idx = 0)
          select e.idx, e.entry from own join ledger_entry e using (acq)
          where e.type in ('signer.registered.v1', 'signer.retired.v1')
            and e.idx > ${after} and e.idx < ${below}
          order by e.idx limit ${limit}`;
        return rows.map((row) => ({
          index: Number(row['idx']),
          entry: (row['entry'] as Buffer).toString('utf8'),
        }));
      }),
  };
}
