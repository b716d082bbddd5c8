// SPDX-License-Identifier: Apache-2.0
import type { Database } from '@impound/runtime/postgres.ts';

/**
 * Below this index every chain has ended, and an ended chain never opens again: so it is looked
 * for from where it was last, and reading what is open does not cost what has ever been.
 */
export function firstOpen(sql: Database): () => Promise<number> {
  let from = 0;
  return async () => {
    const [row] = await sql`
      select coalesce(
        (select f.idx from ledger_entry f where f.acq_seq = 1 and f.idx >= ${from}
          and not exists (select from ledger_entry x where x.acq = f.acq and x.ends)
          order by f.idx limit 1),
        (select max(size_after) from ledger_batch)) as idx`;
    from = Math.max(from, Number(row?.['idx']));
    return from;
  };
}

/** Index of the first entry that was committed within the last so many seconds. */
export function firstRecent(sql: Database, seconds: number): () => Promise<number> {
  let from = 0;
  return async () => {
    const [row] = await sql`
      select coalesce(
        (select size_before from ledger_batch
          where size_after > ${from}
            and committed_at > clock_timestamp() - ${seconds} * interval '1 second'
          order by size_after limit 1),
        (select max(size_after) from ledger_batch)) as idx`;
    from = Math.max(from, Number(row?.['idx']));
    return from;
  };
}
