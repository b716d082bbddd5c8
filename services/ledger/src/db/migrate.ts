// SPDX-License-Identifier: Apache-2.0
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { Never } from '@impound/runtime/fault.ts';
import { type Database, openDatabase } from '@impound/runtime/postgres.ts';
import { Secret } from '@impound/runtime/secret.ts';

/** The passwords of the roles that log in; a role without one gets none and cannot log in. */
export interface RolePasswords {
  readonly writerPassword: string;
  readonly readerPassword?: string | undefined;
}

const MIGRATIONS = new URL('./migrations/', import.meta.url);
/** One migration at a time in one database: 'ledger' in ASCII, and 0. */
const MIGRATION_LOCK = 0x6c656467;

/**
 * Makes the ledger's roles and tables in the database that `adminUrl` names, or brings them up to
 * this version. A deploy job: the service itself only looks and refuses. It may run again at any
 * time, and two at once. Needs the right to create roles; throws what Postgres refuses.
 */
export async function migrate(adminUrl: string, passwords: RolePasswords): Promise<void> {
  await using scope = new AsyncDisposableStack();
  const options = { connectionsMax: 1, name: 'impound-ledger-migrate' };
  const sql = openDatabase(new Secret(adminUrl), options, scope);
  await sql`select pg_advisory_lock(${MIGRATION_LOCK})`;
  await makeRole(sql, 'ledger_owner', 'nologin');
  await makeRole(sql, 'ledger_writer', login(passwords.writerPassword));
  await makeRole(sql, 'ledger_reader', login(passwords.readerPassword));
  await sql.begin(async (transaction) => {
    // A role that is no superuser must be a member of the owner to act as it.
    await transaction`select set_config('search_path', 'public', true)`;
    await transaction.unsafe('grant ledger_owner to current_user');
    await transaction.unsafe('grant usage, create on schema public to ledger_owner');
    await transaction.unsafe('set local role ledger_owner');
    await applyMissing(transaction as unknown as Database);
    await transaction.unsafe('reset role');
    await transaction.unsafe('revoke create on schema public from ledger_owner');
    await transaction.unsafe('grant usage on schema public to ledger_writer, ledger_reader');
  });
}

async function applyMissing(sql: Database): Promise<void> {
  await sql.unsafe(`
    create table if not exists ledger_schema (
      version integer primary key,
      applied_at timestamptz not null default clock_timestamp()
    );
    grant select on ledger_schema to ledger_writer, ledger_reader;
  `);
  const [row] = await sql`select coalesce(max(version), 0) as version from ledger_schema`;
  for (const { version, file } of await migrations()) {
    if (version <= Number(row?.['version'])) continue;
    await sql.unsafe(await readFile(new URL(file, MIGRATIONS), 'utf8'));
    await sql`insert into ledger_schema (version) values (${version})`;
  }
}

async function migrations(): Promise<{ version: number; file: string }[]> {
  const files = (await readdir(MIGRATIONS)).filter((file) => /^\d{4}_[a-z_]+\.sql$/.test(file));
  return files.toSorted().map((file) => ({ version: Number(file.slice(0, 4)), file }));
}

/** Roles belong to the whole server, so another database's migration may make them meanwhile. */
async function makeRole(sql: Database, role: string, attributes: string): Promise<void> {
  await sql.unsafe(`
    do $$ begin
      create role ${role};
    exception when duplicate_object or unique_violation then null;
    end $$
  `);
  const change = () => sql.unsafe(`alter role ${role} ${attributes}`);
  await change().catch(async (error: Error) => {
    if (!error.message.includes('tuple concurrently updated')) throw error;
    await change();
  });
}

function login(password: string | undefined): string {
  return password === undefined ? 'nologin' : `login password '${scramVerifier(password)}'`;
}

const SCRAM_ITERATIONS = 4_096;

/** What Postgres stores of a password (RFC 5803), made here so that no server log can hold it. */
function scramVerifier(password: string): string {
  if (!/^[\x21-\x7e]{8,}$/.test(password)) {
    throw new Never('password-unfit', 'a role password has 8 or more printable ASCII characters');
  }
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, SCRAM_ITERATIONS, 32, 'sha256');
  const key = (name: string) => createHmac('sha256', salted).update(name).digest();
  const stored = createHash('sha256').update(key('Client Key')).digest('base64');
  const server = key('Server Key').toString('base64');
  return `SCRAM-SHA-256$${SCRAM_ITERATIONS}:${salt.toString('base64')}$${stored}:${server}`;
}
