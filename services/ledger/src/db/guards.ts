// SPDX-License-Identifier: Apache-2.0
import { Later, messageOf, Never } from '@impound/runtime/fault.ts';
import type { Database } from '@impound/runtime/postgres.ts';
import { type Guards, guardFaults, RIGHTS, TABLES } from '../domain/guards.ts';
import { arrayText } from './array-text.ts';

const AGAIN_MS = 500;

/** Throws Never where the database is not guarded, and Later where it cannot be asked now. */
export async function checkGuards(sql: Database): Promise<void> {
  const faults = guardFaults(await asked(() => readGuards(sql)));
  if (faults.length === 0) return;
  throw new Never(
    'database-unguarded',
    `the ledger does not write here:\n  ${faults.join('\n  ')}`,
  );
}

/** SQLSTATE classes that pass by themselves: connection, resources, operator, system, and 55P03. */
const PASSING = /^(08|53|57|58|55P03)/;

/** A pooler that does not know what a connection begins with. */
const UNPASSED = /unsupported startup parameter/;
const PASS_IT = ' (PgBouncer: pool_mode = session, ignore_startup_parameters = statement_timeout)';

/** Tells a database that is away or busy (Later) from one that refuses (Never). */
export async function asked<T>(question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (cause) {
    if (cause instanceof Never) throw cause;
    const { code = '', severity } = cause as { code?: string; severity?: string };
    const refused = severity !== undefined && !PASSING.test(code);
    const because = `the database: ${messageOf(cause)}`;
    if (UNPASSED.test(because))
      throw new Never('database-pooled', `${because}${PASS_IT}`, { cause });
    if (refused) throw new Never('database-refused', because, { cause });
    throw new Later('database-away', AGAIN_MS, because, { cause });
  }
}

/** The guards as they stand for a role; left out, for the one that is connected. */
export async function readGuards(sql: Database, given?: string): Promise<Guards> {
  const [about] = await sql`
    select rolname as role, rolsuper as superuser,
      to_regclass('ledger_schema') is not null as made,
      current_setting('fsync') as fsync,
      current_setting('synchronous_commit') as synchronous_commit,
      current_setting('full_page_writes') as full_page_writes
    from pg_roles where rolname = coalesce(${given ?? null}, current_user)`;
  if (about === undefined) throw new Never('role-missing', `there is no role ${given}`);
  const role = String(about['role']);
  const made = about['made'] === true;
  return {
    role,
    isSuperuser: about['superuser'] === true,
    settings: about as Record<string, string>,
    schemaVersion: made ? await schemaVersion(sql) : undefined,
    ownsLedger: made && (await ownsLedger(sql, role)),
    rights: made ? await rights(sql, role) : [],
    triggers: made ? await triggers(sql) : [],
    constraints: made ? await constraints(sql) : {},
    refusal: made ? await refusal(sql) : '',
  };
}

async function schemaVersion(sql: Database): Promise<number> {
  const [row] = await sql`select coalesce(max(version), 0) as version from ledger_schema`;
  return Number(row?.['version']);
}

async function ownsLedger(sql: Database, role: string): Promise<boolean> {
  const [row] = await sql`
    select coalesce(bool_or(pg_has_role(${role}, relowner, 'MEMBER')), false) as owns
    from pg_class where oid = any(array(select to_regclass(t)::oid from unnest(${names(sql)}) t))`;
  return row?.['owns'] === true;
}

async function rights(sql: Database, role: string): Promise<string[]> {
  const rows = await sql`
    select t || ' ' || r as held
    from unnest(${names(sql)}) t, unnest(${arrayText(RIGHTS)}::text[]) r
    where to_regclass(t) is not null and (has_table_privilege(${role}, t, r)
      or (r = 'UPDATE' and has_any_column_privilege(${role}, t, r)))`;
  return rows.map((row) => String(row['held']));
}

/** tgtype 27: BEFORE, UPDATE or DELETE, each row; 34: BEFORE TRUNCATE, the statement. */
async function triggers(sql: Database): Promise<string[]> {
  const rows = await sql`
    select tgname || ' ' || tgenabled::text as found
    from pg_trigger
    where tgrelid = any(array(select to_regclass(t)::oid from unnest(${names(sql)}) t))
      and tgfoid = to_regproc('ledger_refuse_change') and tgqual is null
      and tgtype = case when tgname like '%no_truncate' then 34 else 27 end`;
  return rows.map((row) => String(row['found']));
}

async function refusal(sql: Database): Promise<string> {
  const [row] = await sql`
    select prosrc from pg_proc where oid = to_regproc('ledger_refuse_change')`;
  return String(row?.['prosrc'] ?? '');
}

async function constraints(sql: Database): Promise<Record<string, string>> {
  const rows = await sql`
    select conname, pg_get_constraintdef(oid) as words from pg_constraint
    where convalidated
      and conrelid = any(array(select to_regclass(t)::oid from unnest(${names(sql)}) t))`;
  return Object.fromEntries(rows.map((row) => [row['conname'], row['words']]));
}

function names(sql: Database) {
  return sql`${arrayText(TABLES)}::text[]`;
}
