// SPDX-License-Identifier: Apache-2.0
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { messageOf, Never } from '@impound/runtime/fault.ts';
import { type Database, openDatabase } from '@impound/runtime/postgres.ts';
import { Secret } from '@impound/runtime/secret.ts';
import { ledgerScript } from './script.ts';

/** The passwords of the roles that log in; a role without one gets none and cannot log in. */
export interface RolePasswords {
  readonly writerPassword: string;
  readonly readerPassword?: string | undefined;
  readonly verifierPassword?: string | undefined;
}

const TRIES_MAX = 5;
/** An index over a long log is not made in a minute. */
const STATEMENT_MS_MAX = 3_600_000;

/**
 * Makes the ledger's roles and tables in the database that `adminUrl` names, or brings them up to
 * this version. A deploy job: the service itself only looks and refuses. It may run again at any
 * time, and two at once. Needs the right to create roles; throws what Postgres refuses.
 */
export async function migrate(adminUrl: string, passwords: RolePasswords): Promise<void> {
  await using scope = new AsyncDisposableStack();
  const limits = { connectionsMax: 1, statementMsMax: STATEMENT_MS_MAX };
  const options = { ...limits, name: 'impound-ledger-migrate' };
  const sql = openDatabase(new Secret(adminUrl), options, scope);
  await again(sql, await ledgerScript());
  await again(sql, `alter role ledger_owner nologin`);
  await again(sql, `alter role ledger_writer ${login(passwords.writerPassword)}`);
  await again(sql, `alter role ledger_reader ${login(passwords.readerPassword)}`);
  await again(sql, `alter role ledger_verifier ${login(passwords.verifierPassword)}`);
}

/** Roles belong to the whole server: where another database's migration changes one, once more. */
async function again(sql: Database, statements: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await sql.unsafe(statements);
      return;
    } catch (error) {
      await sql.unsafe('rollback');
      const passes = messageOf(error).includes('tuple concurrently updated');
      if (!passes || tries === TRIES_MAX) throw error;
    }
  }
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
