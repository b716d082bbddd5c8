// SPDX-License-Identifier: Apache-2.0
import type { Database } from '@impound/runtime/postgres.ts';
import { firstOpen } from '../db/open.ts';
import type { OpenTypesReader } from '../handlers/watch-house.ts';

const CHAINS_MAX = 20_000;

/** Reads what is open from the index; of the first entry also whether the request was allowed. */
export function postgresOpenTypes(sql: Database): OpenTypesReader {
  const openFrom = firstOpen(sql);
  return async () => {
    const rows = await sql`
      select extract(epoch from f.recorded_at) * 1000 as since_ms,
        convert_from(f.entry, 'UTF8')::jsonb #>> '{event,data,policy,decision}' as decision,
        (select string_agg(type, ' ' order by acq_seq) from ledger_entry where acq = f.acq) as types
      from ledger_entry f
      where f.acq_seq = 1 and f.idx >= ${await openFrom()}
        and not exists (select from ledger_entry x where x.acq = f.acq and x.ends)
      order by f.idx limit ${CHAINS_MAX}`;
    return rows.map((row) => ({
      sinceMs: Number(row['since_ms']),
      allowed: row['decision'] === 'allowed',
      types: String(row['types']).split(' '),
    }));
  };
}
