// SPDX-License-Identifier: Apache-2.0
import type { LedgerAuditV1 } from '@impound/contracts/ask/ledger.audit.v1.ts';
import { LOG_TENANT } from '@impound/contracts/log-key.ts';
import type { ReplyOf, RequestOf } from '@impound/contracts/question.ts';
import type { Database } from '@impound/runtime/postgres.ts';
import { BOUNDS, type Looking, type Way, waysTo } from '../db/audit-ways.ts';
import { asked } from '../db/guards.ts';
import type { AuditLog } from '../handlers/ledger-audit.ts';

type Audit = typeof LedgerAuditV1;

const BYTES_MAX = 4 * 1_024 * 1_024;

/** Reads the log for auditors, in its order; what is committed never changes. */
export function postgresAudit(sql: Database, bounds = BOUNDS): AuditLog {
  return { audit: (wanted) => asked(() => page({ sql, bounds }, wanted)) };
}

async function page(on: Looking, wanted: RequestOf<Audit>): Promise<ReplyOf<Audit>> {
  const { sql } = on;
  const [at] = await sql`
    select (select max(size_after) from ledger_batch) as size,
      (select c.note || coalesce((
          select string_agg(s.line, '' order by s.witness) from ledger_cosignature s
          where s.size = c.size and s.head = c.head), '')
        from ledger_checkpoint c where head = 'own' order by size desc limit 1) as note`;
  const size = Number(at?.['size']);
  const { ways, end } = await waysTo(on, wanted, size);
  const found = await Promise.all(ways.map((way) => along(sql, way, wanted)));
  const known = Math.min(...found.map((one) => one.end));
  const fitting = found
    .flatMap(({ entries }) => entries)
    .filter(({ seq }) => seq < known)
    .toSorted((one, other) => one.seq - other.seq);
  const entries = fitting.slice(0, wanted.limit);
  const next = entries.length < fitting.length ? entries.at(-1)?.seq : known - 1;
  return {
    size,
    ...(typeof at?.['note'] === 'string' ? { checkpoint: at['note'] } : {}),
    entries,
    ...(next === undefined || next >= end - 1 ? {} : { next }),
  };
}

/** What fits along a way, as much as a page takes; below `end` there is no more of it. */
async function along(sql: Database, { rows, order, end }: Way, wanted: RequestOf<Audit>) {
  const { limit } = wanted;
  const read = await sql`
    select idx, leaf, entry, is_text from (
      select e.idx, encode(e.leaf, 'hex') as leaf, e.entry, e.event_id is not null as is_text,
        sum(octet_length(e.entry)) over (order by ${order}) - octet_length(e.entry) as before
      from ${rows} and ${ofWhom(sql, wanted)} ${narrowed(sql, wanted)}
      order by ${order} limit ${limit}
    ) as page where before < ${BYTES_MAX} order by idx`;
  const entries = read.map((row) => ({
    seq: Number(row['idx']),
    hash: String(row['leaf']),
    ...(row['is_text'] === true
      ? { text: (row['entry'] as Buffer).toString('utf8') }
      : { text: '', bytes: (row['entry'] as Buffer).toString('base64') }),
  }));
  const last = entries.at(-1);
  const full = entries.length === limit || bytesOf(entries) >= BYTES_MAX;
  return { entries, end: full && last !== undefined ? last.seq + 1 : end };
}

/** What vouches for a seal is the log's own, and has no tenant. */
function ofWhom(sql: Database, { tenant, withLog, allTenants }: RequestOf<Audit>) {
  if (allTenants && withLog) return sql`true`;
  if (allTenants) return sql`e.tenant <> ${LOG_TENANT}`;
  if (!withLog) return sql`e.tenant = ${tenant}`;
  return sql`(e.tenant in ${sql([tenant, LOG_TENANT])} or e.tenant is null)`;
}

function bytesOf(entries: readonly { readonly text: string }[]): number {
  return entries.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
}

function narrowed(sql: Database, { filter }: RequestOf<Audit>) {
  const { acquisitionId, caseId, actor, type, target } = filter;
  const { claimedFrom, claimedTo } = filter;
  return sql`
    ${acquisitionId === undefined ? sql`` : sql`and e.acq = ${acquisitionId}`}
    ${caseId === undefined ? sql`` : sql`and e.case_id = ${caseId}`}
    ${target === undefined ? sql`` : begunWith(sql, target)}
    ${actor === undefined ? sql`` : sql`and e.actor = ${actor}`}
    ${type === undefined ? sql`` : sql`and e.type = ${type}`}
    ${claimedFrom === undefined ? sql`` : sql`and e.event_at >= ${claimedFrom}`}
    ${claimedTo === undefined ? sql`` : sql`and e.event_at < ${claimedTo}`}`;
}

/** Only the first entry of a chain has the target in its row. */
function begunWith(sql: Database, target: string) {
  return sql`and exists (
    select from ledger_entry b where b.acq = e.acq and b.acq_seq = 1 and b.target = ${target})`;
}
