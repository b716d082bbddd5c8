// SPDX-License-Identifier: Apache-2.0
import type { Database } from '@impound/runtime/postgres.ts';

/** Between what a speaker claims and when it was recorded, where nothing is out of the ordinary. */
const SKEW_MINUTES = 10;

/**
 * The first index of the log, below `size`, whose entry was recorded at a time or later; `size`
 * where there is none. Halves the log, for recorded times never go back from one entry to the next.
 * With `skews` the time is that many of the usual skew later.
 */
export async function firstRecorded(
  sql: Database,
  time: string,
  size: number,
  skews = 0,
): Promise<number> {
  const minutes = skews * SKEW_MINUTES;
  // A leaf that is no entry was recorded with the one before it.
  const [row] = await sql`
    with recursive search (low, high) as (
      select 0::bigint, ${size}::bigint
      union all
      select case when at.before then middle + 1 else low end,
        case when at.before then high else middle end
      from (select low, high, (low + high) / 2 as middle from search where low < high) as half
      cross join lateral (
        select recorded_at < ${time}::timestamptz + make_interval(mins => ${minutes}) as before
        from ledger_entry where idx <= middle and recorded_at is not null
        order by idx desc limit 1
      ) as at
    )
    select min(high) as first from search`;
  return Number(row?.['first'] ?? size);
}
