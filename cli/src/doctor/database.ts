// SPDX-License-Identifier: Apache-2.0
import { arrayText } from '@impound/ledger/db/array-text.ts';
import { readGuards } from '@impound/ledger/db/guards.ts';
import { type Guards, TABLES } from '@impound/ledger/domain/guards.ts';
import { clockBetween } from '@impound/runtime/bus-look.ts';
import { type Database, openDatabase } from '@impound/runtime/postgres.ts';
import type { Secret } from '@impound/runtime/secret.ts';
import type { Offset } from './clock.ts';
import { type ShownFacts, shownFacts } from './outside.ts';

/** The role as which the ledger writes, whoever looks. */
export const WRITER = 'ledger_writer';
const OWNER = 'ledger_owner';

/** What Postgres tells of itself and of the ledger in it. */
export interface DatabaseFacts {
  readonly versionNumber: number;
  readonly encrypted: boolean;
  readonly clock: Offset;
  /** As they stand for the writer. */
  readonly guards: Guards;
  /** Settings that are made for the writer or for this database, as NAME=VALUE. */
  readonly overrides: readonly string[];
  readonly checksums: boolean;
  readonly archives: boolean;
  readonly replicas: number;
  readonly inRecovery: boolean;
  readonly roles: RoleFacts;
  readonly chains: ChainFacts;
  /** What others have said of the log. */
  readonly shown: ShownFacts | undefined;
}

/** Who could do more to the ledger than it needs. */
export interface RoleFacts {
  /** Other roles that may change the ledger's tables, as `ROLE RIGHT TABLE`. */
  readonly others: readonly string[];
  readonly superusers: readonly string[];
  readonly ownerLogsIn: boolean;
  readonly anybodyCreates: boolean;
}

/** How the acquisitions stand. */
export interface ChainFacts {
  readonly entries: number;
  /** When an open one moved last. */
  readonly movedAt: string | undefined;
  readonly open: number;
  /** Open ones that have not moved for STILL_MS, the oldest first, and how long, in seconds. */
  readonly still: readonly { readonly acquisitionId: string; readonly seconds: number }[];
}

export const STILL_MS = 3_600_000;
const STILL_SHOWN_MAX = 5;
const STATEMENT_MS_MAX = 10_000;

/** Looks at a database, best as ledger_reader. Throws where it cannot be asked. */
export async function lookAtDatabase(url: Secret): Promise<DatabaseFacts> {
  await using scope = new AsyncDisposableStack();
  const limits = { connectionsMax: 1, statementMsMax: STATEMENT_MS_MAX };
  const sql = openDatabase(url, { ...limits, name: 'impound-doctor' }, scope);
  const guards = await readGuards(sql, WRITER);
  const made = guards.schemaVersion !== undefined;
  const askedAt = Date.now();
  const [about] = await sql`select extract(epoch from clock_timestamp()) * 1000 as now`;
  const clock = clockBetween({ askedAt, answeredAt: Date.now(), theirs: Number(about?.['now']) });
  return {
    ...(await serverFacts(sql)),
    ...{ clock, guards },
    overrides: await overrides(sql),
    roles: made ? await roles(sql) : NOBODY,
    shown: made ? await shownFacts(sql) : undefined,
    chains: made ? await chains(sql) : { entries: 0, movedAt: undefined, open: 0, still: [] },
  };
}

const NOBODY: RoleFacts = { others: [], superusers: [], ownerLogsIn: false, anybodyCreates: false };

async function serverFacts(sql: Database) {
  const [row] = await sql`
    select current_setting('server_version_num')::int as version,
      coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false) as encrypted,
      current_setting('data_checksums') = 'on' as checksums,
      current_setting('archive_mode') <> 'off' as archives,
      (select count(*)::int from pg_stat_replication) as replicas,
      pg_is_in_recovery() as recovering`;
  return {
    versionNumber: Number(row?.['version']),
    encrypted: row?.['encrypted'] === true,
    checksums: row?.['checksums'] === true,
    archives: row?.['archives'] === true,
    replicas: Number(row?.['replicas']),
    inRecovery: row?.['recovering'] === true,
  };
}

/** What a new session of the writer will have, whatever this one has. */
async function overrides(sql: Database): Promise<string[]> {
  const rows = await sql`
    select unnest(setconfig) as setting from pg_db_role_setting
    where setrole in (0, coalesce(to_regrole(${WRITER})::oid, 0))
      and setdatabase in (0, (select oid from pg_database where datname = current_database()))`;
  return rows.map((row) => String(row['setting']));
}

/** Superusers may do all anyway; the predefined roles count through their members. */
async function roles(sql: Database): Promise<RoleFacts> {
  const others = await sql`
    select rolname || ' ' || r || ' ' || t as held
    from pg_roles, unnest(${arrayText([...TABLES, 'ledger_schema'])}::text[]) t,
      unnest(array['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) r
    where not rolsuper and rolname not in (${WRITER}, ${OWNER}) and rolname not like 'pg\\_%'
      and has_table_privilege(oid, t, r) order by 1 limit 20`;
  const superusers = await sql`
    select rolname from pg_roles where rolsuper and rolcanlogin order by 1 limit 20`;
  const [row] = await sql`
    select coalesce((select rolcanlogin from pg_roles where rolname = ${OWNER}), false) as logs_in,
      has_schema_privilege('public', 'public', 'CREATE') as anybody`;
  return {
    others: others.map((one) => String(one['held'])),
    superusers: superusers.map((one) => String(one['rolname'])),
    ownerLogsIn: row?.['logs_in'] === true,
    anybodyCreates: row?.['anybody'] === true,
  };
}

async function chains(sql: Database): Promise<ChainFacts> {
  const [all] = await sql`select coalesce(max(idx), -1) + 1 as entries from ledger_entry`;
  const open = await sql`
    select f.acq, to_json(last.recorded_at) #>> '{}' as moved_at,
      extract(epoch from clock_timestamp() - last.recorded_at) as seconds
    from ledger_entry f
    cross join lateral (
      select recorded_at from ledger_entry where acq = f.acq order by acq_seq desc limit 1
    ) as last
    where f.acq_seq = 1
      and not exists (select from ledger_entry x where x.acq = f.acq and x.ends)
    order by last.recorded_at`;
  const ages = open.map((row) => ({
    acquisitionId: String(row['acq']),
    seconds: Math.round(Number(row['seconds'])),
  }));
  const newest = open.at(-1);
  return {
    entries: Number(all?.['entries']),
    movedAt: newest === undefined ? undefined : String(newest['moved_at']),
    open: ages.length,
    still: ages.filter(({ seconds }) => seconds * 1_000 > STILL_MS).slice(0, STILL_SHOWN_MAX),
  };
}
