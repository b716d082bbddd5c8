// SPDX-License-Identifier: Apache-2.0
import type { LedgerAuditV1 } from '@impound/contracts/ask/ledger.audit.v1.ts';
import type { ReplyOf, RequestOf } from '@impound/contracts/question.ts';
import type { Database } from '@impound/runtime/postgres.ts';
import { asked } from '../db/guards.ts';
import type { AuditLog } from '../handlers/ledger-audit.ts';

type Audit = typeof LedgerAuditV1;

/** How much of the log is looked at for one page where no index leads to what is wanted. */
const WINDOW = 100_000;
const BYTES_MAX = 4 * 1_024 * 1_024;

/** Reads the log for auditors, in its order; what is committed never changes. */
export function postgresAudit(sql: Database): AuditLog {
  return { audit: (wanted) => asked(() => page(sql, wanted)) };
}

async function page(sql: Database, wanted: RequestOf<Audit>): Promise<ReplyOf<Audit>> {
  const { after, limit } = wanted;
  const [at] = await sql`
    select (select max(size_after) from ledger_batch) as size,
      (select note from ledger_checkpoint where head = 'own' order by size desc limit 1) as note`;
  const size = Number(at?.['size']);
  const end = isIndexed(wanted) ? size : Math.min(size, after + 1 + WINDOW);
  const rows = await sql`
    select idx, leaf, entry from (
      select e.idx, encode(e.leaf, 'hex') as leaf, e.entry,
        sum(octet_length(e.entry)) over (order by e.idx) - octet_length(e.entry) as before
      from ledger_entry e
      where e.idx > ${after} and e.idx < ${end} and e.tenant = ${wanted.tenant}
        ${narrowed(sql, wanted)}
      order by e.idx limit ${limit}
    ) as page where before < ${BYTES_MAX} order by idx`;
  const entries = rows.map((row) => ({
    seq: Number(row['idx']),
    hash: String(row['leaf']),
    text: (row['entry'] as Buffer).toString('utf8'),
  }));
  const full = entries.length === limit || bytesOf(entries) >= BYTES_MAX;
  const next = full ? entries.at(-1)?.seq : end - 1;
  return {
    size,
    ...(typeof at?.['note'] === 'string' ? { checkpoint: at['note'] } : {}),
    entries,
    ...(next === undefined || next >= size - 1 ? {} : { next }),
  };
}

function bytesOf(entries: readonly { readonly text: string }[]): number {
  return entries.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
}

/** Whether chains are found by an index, so that all of the log can be looked at for a page. */
function isIndexed({ filter }: RequestOf<Audit>): boolean {
  const { acquisitionId, caseId, target } = filter;
  return (acquisitionId ?? caseId ?? target) !== undefined;
}

function narrowed(sql: Database, { tenant, filter }: RequestOf<Audit>) {
  const { acquisitionId, caseId, actor, type, target } = filter;
  const { claimedFrom, claimedTo, recordedFrom, recordedTo } = filter;
  const begun = (column: ReturnType<Database>) => sql`and e.acq in (
    select acq from ledger_entry where acq_seq = 1 and tenant = ${tenant} and ${column})`;
  return sql`
    ${acquisitionId === undefined ? sql`` : sql`and e.acq = ${acquisitionId}`}
    ${caseId === undefined ? sql`` : begun(sql`case_id = ${caseId}`)}
    ${target === undefined ? sql`` : begun(sql`target = ${target}`)}
    ${actor === undefined ? sql`` : sql`and e.actor = ${actor}`}
    ${type === undefined ? sql`` : sql`and e.type = ${type}`}
    ${claimedFrom === undefined ? sql`` : sql`and e.event_at >= ${claimedFrom}`}
    ${claimedTo === undefined ? sql`` : sql`and e.event_at < ${claimedTo}`}
    ${recordedFrom === undefined ? sql`` : sql`and e.recorded_at >= ${recordedFrom}`}
    ${recordedTo === undefined ? sql`` : sql`and e.recorded_at < ${recordedTo}`}`;
}
