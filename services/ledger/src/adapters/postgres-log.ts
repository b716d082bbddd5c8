// SPDX-License-Identifier: Apache-2.0
import type { Database } from '@impound/runtime/postgres.ts';
import { arrayText } from '../db/array-text.ts';
import { firstOpen, firstRecent } from '../db/open.ts';
import { AFTER_THE_END } from '../domain/contracts.ts';
import type { StoredEntry } from '../domain/telling.ts';
import type { Log } from '../handlers/ports.ts';

/** Whoever asked is tried to be told for a day; this leaves a second one to be away. */
const CALLBACK_SECONDS_MAX = 2 * 86_400;

/** Reads the log for the relay; any connection will do, for what is committed never changes. */
export function postgresLog(sql: Database): Log {
  const openFrom = firstOpen(sql);
  const recentFrom = firstRecent(sql, CALLBACK_SECONDS_MAX);
  return {
    size: async () => {
      const [row] = await sql`select max(size_after) as size from ledger_batch`;
      return Number(row?.['size']);
    },
    entries: async (from, to, limit) =>
      stored(
        await sql`
        select idx, encode(leaf, 'hex') as leaf, entry, event_id from ledger_entry
        where idx >= ${from} and idx < ${to} order by idx limit ${limit}`,
      ),
    unheard: async (from, to, limit) => {
      const recent = await recentFrom();
      const open = await openFrom();
      return stored(
        await sql`
        select e.idx, encode(e.leaf, 'hex') as leaf, e.entry, e.event_id from ledger_entry e
        where e.event_id is not null
          and e.idx >= ${Math.max(from, Math.min(recent, open))} and e.idx < ${to}
          and (
            e.idx >= ${open}
              and not exists (select from ledger_entry x where x.acq = e.acq and x.ends)
            or e.idx >= ${recent} and e.type = any(${arrayText(AFTER_THE_END)}::text[])
              and not exists (select from ledger_entry x
                where x.acq = e.acq and x.cause = e.event_id and x.speaker <> 'ledger')
          )
        order by e.idx limit ${limit}`,
      );
    },
    stalled: async (after, beforeMs, limit) => {
      const rows = await sql`
        select f.acq, f.idx, extract(epoch from last.recorded_at) * 1000 as last_ms
        from ledger_entry f
        cross join lateral (
          select recorded_at from ledger_entry where acq = f.acq order by acq_seq desc limit 1
        ) as last
        where f.acq_seq = 1 and f.idx >= ${Math.max(after + 1, await openFrom())}
          and not exists (select from ledger_entry x where x.acq = f.acq and x.ends)
          and last.recorded_at < to_timestamp(${beforeMs / 1_000})
        order by f.idx limit ${limit}`;
      return rows.map((row) => ({
        acq: String(row['acq']),
        seq: Number(row['idx']),
        lastAtMs: Number(row['last_ms']),
      }));
    },
    chain: async (acq, limit) => {
      const rows = await sql`
        select idx, encode(leaf, 'hex') as leaf, entry, event_id, type, speaker, cause
        from ledger_entry where acq = ${acq} order by acq_seq desc limit ${limit}`;
      return rows.toReversed().map((row) => ({
        ...storedRow(row),
        id: String(row['event_id']),
        type: String(row['type']),
        speaker: String(row['speaker']),
        cause: row['cause'] === null ? undefined : String(row['cause']),
      }));
    },
  };
}

function stored(rows: readonly Record<string, unknown>[]): StoredEntry[] {
  return rows.map(storedRow);
}

function storedRow(row: Record<string, unknown>): StoredEntry {
  return {
    seq: Number(row['idx']),
    hash: String(row['leaf']),
    text: row['event_id'] === null ? '' : (row['entry'] as Buffer).toString('utf8'),
  };
}
