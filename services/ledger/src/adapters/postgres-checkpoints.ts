// SPDX-License-Identifier: Apache-2.0
import { Never } from '@impound/runtime/fault.ts';
import type { Database } from '@impound/runtime/postgres.ts';
import { asked } from '../db/guards.ts';
import type { CheckpointBook } from '../handlers/checkpointing.ts';

/** Keeps checkpoints beside the batches that they stand over. */
export function postgresCheckpoints(sql: Database): CheckpointBook {
  return {
    lastSize: async () => {
      const [row] = await asked(
        () => sql`
        select size from ledger_checkpoint group by size having count(*) = 2
        order by size desc limit 1`,
      );
      return row === undefined ? -1 : Number(row['size']);
    },
    keep: async ({ size, root }, notes) => {
      const [row] = await asked(
        () => sql`
        with batch as (
          select size_after from ledger_batch where size_after = ${size} and root = ${root}
        ), kept as (
          insert into ledger_checkpoint (size, head, note)
          select size_after, head, note from batch, (
            values ('own', ${notes.own}), ('sigsum', ${notes.sigsum})
          ) as signed (head, note)
          on conflict do nothing
        )
        select exists (select from batch) as committed`,
      );
      if (row?.['committed'] === true) return;
      const what = `what this process committed as size ${size} is not in the database as it was`;
      throw new Never('log-damaged', `${what}: nothing is signed, find out who changed it`);
    },
  };
}
