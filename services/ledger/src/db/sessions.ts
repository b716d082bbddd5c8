// SPDX-License-Identifier: Apache-2.0
import { Never } from '@impound/runtime/fault.ts';
import type { Database } from '@impound/runtime/postgres.ts';
import { asked } from './guards.ts';

/**
 * Two connections are two sessions, unless a pooler gives one to whoever asks just now. The pen
 * and the settings of whoever holds it are a session's: throws Never where nobody has one.
 */
export async function checkSessions(one: Database, other: Database): Promise<void> {
  const first = await asked(() => backendOf(one));
  const second = await asked(() => backendOf(other));
  if (first !== second) return;
  throw new Never(
    'database-pooled',
    'two connections to the database share one session: a pooler in front of it has to give each ' +
      'its own (PgBouncer: pool_mode = session), or DATABASE_URL to lead past it',
  );
}

async function backendOf(sql: Database): Promise<number> {
  const [row] = await sql`select pg_backend_pid() as pid`;
  return Number(row?.['pid']);
}
