// SPDX-License-Identifier: Apache-2.0
import type { LedgerAuditV1 } from '@impound/contracts/ask/ledger.audit.v1.ts';
import type { RequestOf } from '@impound/contracts/question.ts';
import type { Database, Fragment } from '@impound/runtime/postgres.ts';
import { arrayText } from './array-text.ts';
import { firstRecorded } from './recorded.ts';
import { isOfTarget } from './target.ts';

type Wanted = RequestOf<typeof LedgerAuditV1>;

/** A part of the log: from an index on, up to the one before `end`. */
export interface Span {
  readonly from: number;
  readonly end: number;
}

/** A way to all that fits within a span: `rows`, as `e`, are all that has to be looked at. */
export interface Way extends Span {
  readonly rows: Fragment;
  /** In this order they come from an index, the one of the log. */
  readonly order: Fragment;
}

/** All ways together; where the log or what is wanted of it ends. */
export interface Ways {
  readonly ways: readonly Way[];
  readonly end: number;
}

/** How much is looked at for one page. */
export interface Bounds {
  /** Entries side by side. */
  readonly windowMax: number;
  /** Entries that an index leads to, wherever they lie. */
  readonly apartMax: number;
  /** Chains; more than these are so many that they are found by reading on. */
  readonly chainsMax: number;
}

/** What a database answers in a fraction of a second, cold. */
export const BOUNDS: Bounds = { windowMax: 100_000, apartMax: 20_000, chainsMax: 1_000 };

/** The database, and how much of it may be looked at. */
export interface Looking {
  readonly sql: Database;
  readonly bounds: Bounds;
}

/**
 * The ways that together lead to all that is wanted. Each looks at a bounded part of the log: as
 * far as the nearest `end` of them everything is known.
 */
export async function waysTo(on: Looking, wanted: Wanted, size: number): Promise<Ways> {
  const { sql } = on;
  const { after, filter } = wanted;
  const { recordedFrom, recordedTo } = filter;
  const from = recordedFrom === undefined ? 0 : await firstRecorded(sql, recordedFrom, size);
  const end = recordedTo === undefined ? size : await firstRecorded(sql, recordedTo, size);
  const span = { from: Math.max(after + 1, from), end };
  return { ways: await within(on, wanted, span), end };
}

async function within(on: Looking, wanted: Wanted, span: Span): Promise<readonly Way[]> {
  if (wanted.allTenants) return [alongLog(on, span)];
  const chains = await chainsOf(on, wanted);
  if (chains !== undefined) return [alongChains(on.sql, chains, span)];
  const list = listOf(on.sql, wanted);
  if (list !== undefined) return [await alongList(on, list, span)];
  const { claimedFrom, claimedTo } = wanted.filter;
  if ((claimedFrom ?? claimedTo) === undefined) return [alongLog(on, span)];
  return await byClaim(on, wanted, span);
}

/** The chains that can have it, where they are few; undefined: they are many, or all. */
async function chainsOf(
  { sql, bounds }: Looking,
  { tenant, filter }: Wanted,
): Promise<string[] | undefined> {
  const { acquisitionId, caseId, target } = filter;
  if (acquisitionId !== undefined) return [acquisitionId];
  if ((target ?? caseId) === undefined) return undefined;
  const rows = await sql`
    select acq from ledger_entry where acq_seq = 1 and tenant = ${tenant}
      and ${target === undefined ? sql`case_id = ${caseId ?? ''}` : isOfTarget(sql, target)}
    limit ${bounds.chainsMax + 1}`;
  return rows.length > bounds.chainsMax ? undefined : rows.map((row) => String(row['acq']));
}

/** No index has the order of the log here: materialized, so that none is walked in its place. */
function alongChains(sql: Database, chains: readonly string[], { from, end }: Span): Way {
  const rows = sql`(
    with chain as materialized (
      select * from ledger_entry where acq = any(${arrayText(chains)}::uuid[])
    ) select * from chain where idx >= ${from} and idx < ${end}
  ) as e where true`;
  return { from, end, rows, order: sql`e.idx` };
}

function alongLog({ sql, bounds }: Looking, { from, end }: Span): Way {
  const near = Math.max(from, Math.min(end, from + bounds.windowMax));
  const rows = sql`ledger_entry e where e.idx >= ${from} and e.idx < ${near}`;
  return { from, end: near, rows, order: sql`e.idx` };
}

/** The keys of an index whose last column is the index of the log, and what it is limited to. */
interface List {
  readonly columns: Fragment;
  readonly values: Fragment;
  readonly within: Fragment;
}

/** Steps of every acquisition, as the index of what is seldom leaves them out. */
const ROUTINE = [
  ...['acquisition.requested.v1', 'target.resolved.v1', 'access.checked.v1'],
  ...['context.captured.v1', 'acquisition.assigned.v1', 'execution.started.v1'],
  ...['context.stored.v1', 'evidence.captured.v1', 'evidence.stored.v1'],
  ...['acquisition.sealed.v1', 'callback.delivered.v1'],
];

function listOf(sql: Database, { tenant, filter }: Wanted): List | undefined {
  const { actor, type } = filter;
  if (actor !== undefined && !actor.startsWith('/')) {
    const columns = sql`e.tenant, e.actor, e.idx`;
    return { columns, values: sql`${tenant}, ${actor}`, within: sql`e.actor not like '/%'` };
  }
  if (type === undefined || ROUTINE.includes(type)) return undefined;
  const names = ROUTINE.map((name) => `'${name}'`).join(', ');
  const within = sql`e.type not in (${sql.unsafe(names)})`;
  const columns = sql`e.tenant, e.type, e.idx`;
  return { columns, values: sql`${tenant}, ${type}`, within };
}

function skewedOf(sql: Database, { tenant }: Wanted): List {
  return { columns: sql`e.tenant, e.idx`, values: sql`${tenant}`, within: skewed(sql) };
}

function skewed(sql: Database): Fragment {
  return sql`
    e.event_at - e.recorded_at not between interval '-10 minutes' and interval '10 minutes'`;
}

/** Rows are compared as a whole: only an index over these columns has them in this order. */
async function alongList({ sql, bounds }: Looking, list: List, { from, end }: Span): Promise<Way> {
  const { columns, values, within } = list;
  const rows = (to: number) => sql`ledger_entry e where ${within}
    and (${columns}) >= (${values}, ${from}) and (${columns}) < (${values}, ${to})`;
  const [last] = await sql`
    select e.idx from ${rows(end)} order by ${columns} limit 1 offset ${bounds.apartMax - 1}`;
  const near = last === undefined ? end : Number(last['idx']) + 1;
  return { from, end: near, rows: rows(near), order: columns };
}

/** What was recorded soon after it happened lies where it was recorded; all else is in a list. */
async function byClaim(on: Looking, wanted: Wanted, span: Span): Promise<readonly Way[]> {
  const { sql } = on;
  const { claimedFrom, claimedTo } = wanted.filter;
  const { from, end } = span;
  const first = claimedFrom === undefined ? 0 : await firstRecorded(sql, claimedFrom, end, -1);
  const last = claimedTo === undefined ? end : await firstRecorded(sql, claimedTo, end, 1);
  const near = alongLog(on, { from: Math.max(from, first), end: last });
  const soon = { ...near, rows: sql`${near.rows} and not (${skewed(sql)})` };
  // Beyond the last that can fit there is nothing to look at.
  const known = near.end >= last ? { ...soon, end } : soon;
  return [known, await alongList(on, skewedOf(sql, wanted), span)];
}
