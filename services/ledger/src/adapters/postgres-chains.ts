// SPDX-License-Identifier: Apache-2.0
import type { LedgerEntryV1 } from '@impound/contracts/ask/ledger.entry.v1.ts';
import type { LedgerListV1 } from '@impound/contracts/ask/ledger.list.v1.ts';
import type { LedgerOpenV1 } from '@impound/contracts/ask/ledger.open.v1.ts';
import type { ReplyOf, RequestOf } from '@impound/contracts/question.ts';
import { timeOf } from '@impound/contracts/time.ts';
import type { Database } from '@impound/runtime/postgres.ts';
import { asked } from '../db/guards.ts';
import { readHeads, readVersions } from '../db/heads.ts';
import { firstOpen } from '../db/open.ts';
import { isOfTarget } from '../db/target.ts';
import type { HeadReader } from '../handlers/fresh-heads.ts';
import type { Entries } from '../handlers/ledger-entry.ts';
import type { Causes } from '../handlers/ledger-head.ts';
import type { Histories } from '../handlers/ledger-history.ts';
import type { Acquisitions } from '../handlers/ledger-list.ts';
import type { OpenChains } from '../handlers/ledger-open.ts';

/** Everything that is asked of the ledger. */
export type Chains = Histories & HeadReader & Causes & OpenChains & Acquisitions & Entries;

const ROWS_MAX = 1_000;

/** Answers from what is committed, in any process, whether it writes or stands by. */
export function postgresChains(sql: Database): Chains {
  const openFrom = firstOpen(sql);
  return {
    history: (of, bytesMax) => asked(() => history(sql, of, bytesMax)),
    versions: (acqs) => asked(() => readVersions(sql, acqs)),
    heads: (acqs) => asked(() => readHeads(sql, acqs)),
    hasCaused: async (acquisitionId, by) => {
      const [row] = await asked(
        () => sql`
          select exists (select from ledger_entry where acq = ${acquisitionId}
            and cause = ${by.id} and speaker = ${by.service}) as found`,
      );
      return row?.['found'] === true;
    },
    entry: (of) => asked(() => entry(sql, of)),
    open: (wanted) => asked(async () => open(sql, wanted, await openFrom())),
    list: (wanted) => asked(() => list(sql, wanted)),
  };
}

async function history(
  sql: Database,
  of: { readonly tenant: string; readonly acquisitionId: string; readonly after: number },
  bytesMax: number,
) {
  const rows = await sql`
    select idx, leaf, entry, version from (
      select idx, encode(leaf, 'hex') as leaf, entry, acq_seq,
        sum(octet_length(entry)) over (order by acq_seq) - octet_length(entry) as before
      from ledger_entry
      where acq = ${of.acquisitionId} and tenant = ${of.tenant} and acq_seq > ${of.after}
      order by acq_seq limit ${ROWS_MAX}
    ) as page right join (
      select coalesce(max(acq_seq), 0) as version from ledger_entry
      where acq = ${of.acquisitionId} and tenant = ${of.tenant}
    ) as chain on before < ${bytesMax}
    order by acq_seq`;
  const entries = rows.flatMap((row) =>
    row['idx'] === null
      ? []
      : {
          seq: Number(row['idx']),
          hash: String(row['leaf']),
          text: (row['entry'] as Buffer).toString('utf8'),
        },
  );
  return { version: Number(rows[0]?.['version'] ?? 0), entries };
}

async function entry(
  sql: Database,
  of: { readonly tenant: string; readonly eventId: string },
): Promise<ReplyOf<typeof LedgerEntryV1>> {
  const [row] = await sql`
    select acq, entry from ledger_entry where event_id = ${of.eventId} and tenant = ${of.tenant}`;
  if (row === undefined) return {};
  return { acquisitionId: row['acq'], text: (row['entry'] as Buffer).toString('utf8') };
}

type Open = typeof LedgerOpenV1;

async function open(sql: Database, wanted: RequestOf<Open>, openFrom: number) {
  const { tenant, target, actor, after, limit } = wanted;
  const rows = await sql`
    select f.tenant, f.acq, f.idx,
      (select max(acq_seq) from ledger_entry where acq = f.acq) as version
    from ledger_entry f
    where f.acq_seq = 1 and f.idx >= ${Math.max(after + 1, openFrom)}
      and not exists (select from ledger_entry x where x.acq = f.acq and x.ends)
      ${tenant === undefined ? sql`` : sql`and f.tenant = ${tenant}`}
      ${target === undefined ? sql`` : sql`and ${isOfTarget(sql, target)}`}
      ${actor === undefined ? sql`` : sql`and f.actor = ${actor}`}
    order by f.idx limit ${limit}`;
  return rows.map((row) => ({
    tenant: row['tenant'],
    acquisitionId: row['acq'],
    seq: Number(row['idx']),
    version: Number(row['version']),
  })) as ReplyOf<Open>['chains'];
}

type List = typeof LedgerListV1;

async function list(sql: Database, wanted: RequestOf<List>) {
  const { tenant, caseId, before, limit } = wanted;
  const rows = await sql`
    select f.acq, f.case_id, f.target, f.idx, f.recorded_at, last.acq_seq as version,
      last.recorded_at as last_at,
      (select type from ledger_entry x where x.acq = f.acq and x.ends) as ended
    from ledger_entry f
    cross join lateral (
      select acq_seq, recorded_at from ledger_entry
      where acq = f.acq order by acq_seq desc limit 1
    ) as last
    where f.acq_seq = 1 and f.tenant = ${tenant} and f.target is not null
      ${caseId === undefined ? sql`` : sql`and f.case_id = ${caseId}`}
      ${before === undefined ? sql`` : sql`and f.idx < ${before}`}
    order by f.idx desc limit ${limit}`;
  return rows.map((row) => ({
    acquisitionId: row['acq'],
    caseId: row['case_id'],
    target: row['target'],
    seq: Number(row['idx']),
    version: Number(row['version']),
    requestedAt: timeOf((row['recorded_at'] as Date).getTime()),
    lastAt: timeOf((row['last_at'] as Date).getTime()),
    ...(row['ended'] === null ? {} : { ended: row['ended'] }),
  })) as ReplyOf<List>['acquisitions'];
}
