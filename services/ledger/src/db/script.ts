// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile } from 'node:fs/promises';

const MIGRATIONS = new URL('./migrations/', import.meta.url);
/** One migration at a time in one database: 'ledger' in ASCII. */
const MIGRATION_LOCK = 0x6c656467;
const ROLES = ['ledger_owner', 'ledger_writer', 'ledger_reader', 'ledger_verifier'] as const;

/**
 * SQL that makes the ledger's roles and tables, or brings them up to this version: what the
 * migration runs, and what deploy/postgres/ledger.sql shows to whoever runs it by hand. It may run
 * again at any time. It sets no password: a role that has none cannot log in.
 */
export async function ledgerScript(): Promise<string> {
  const steps = (await migrations()).map(async ({ version, file }) =>
    step(version, await readFile(new URL(file, MIGRATIONS), 'utf8')),
  );
  return `${[BEGIN, ...ROLES.map(role), OWNER, ...(await Promise.all(steps)), END].join('\n')}`;
}

const BEGIN = `begin;
-- The names below are those of this schema, whatever the session searches.
set local search_path = public;
select pg_advisory_xact_lock(${MIGRATION_LOCK});
`;

/** Roles belong to the whole server, so another database's migration may make them meanwhile. */
function role(name: string): string {
  return `do $$ begin
  if not exists (select from pg_roles where rolname = '${name}') then
    create role ${name};
  end if;
exception when duplicate_object or unique_violation then null;
end $$;
`;
}

const OWNER = `-- Who runs this and is no superuser must be a member of the owner to act as it.
grant ledger_owner to current_user;
grant usage, create on schema public to ledger_owner;
set local role ledger_owner;

create table if not exists ledger_schema (
  version integer primary key,
  applied_at timestamptz not null default clock_timestamp()
);
revoke all on ledger_schema from public;
grant select on ledger_schema to ledger_writer, ledger_reader, ledger_verifier;
`;

function step(version: number, sql: string): string {
  return `do $step$ begin
if not exists (select from ledger_schema where version >= ${version}) then
execute $migration$
${sql.trimEnd()}
$migration$;
insert into ledger_schema (version) values (${version});
end if;
end $step$;
`;
}

const END = `reset role;
revoke create on schema public from ledger_owner;
grant usage on schema public to ledger_writer, ledger_reader, ledger_verifier;
commit;
`;

async function migrations(): Promise<{ version: number; file: string }[]> {
  const files = (await readdir(MIGRATIONS)).filter((file) => /^\d{4}_[a-z_]+\.sql$/.test(file));
  return files.toSorted().map((file) => ({ version: Number(file.slice(0, 4)), file }));
}
