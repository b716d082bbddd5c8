// SPDX-License-Identifier: Apache-2.0
import type { TestContext } from 'node:test';
import { newId } from '@impound/runtime/ids.ts';
import { type Database, openDatabase } from '@impound/runtime/postgres.ts';
import { Secret } from '@impound/runtime/secret.ts';
import { inSnapshot } from '../src/adapters/postgres-fsck.ts';
import { TRIGGERS } from '../src/domain/guards.ts';
import { fsck } from '../src/handlers/fsck.ts';
import type { Outside } from '../src/handlers/fsck-marks.ts';
import type { FsckReport } from '../src/handlers/fsck-ports.ts';
import type { World } from './world.ts';

export const NOTHING: Outside = { keys: [], known: [] };

/** A copy of the database, with what a superuser does to it once nothing holds him back. */
export async function tampered(t: TestContext, it: World, change: string, keepGuards = false) {
  const { server } = it.database;
  const name = `tampered_${newId().replaceAll('-', '').slice(-12)}`;
  const scope = new AsyncDisposableStack();
  t.after(() => scope.disposeAsync());
  const open = (database: string, role?: string) =>
    openDatabase(new Secret(server.url(database, role)), { connectionsMax: 1, name: 't' }, scope);
  await open('postgres').unsafe(`create database ${name} template ${it.database.name}`);
  const sql = open(name);
  const guards = TRIGGERS.map((trigger) => {
    const table = trigger.replace(/_no_(change|truncate)$/, '');
    return `alter table ${table} disable trigger ${trigger};`;
  });
  const unchecked = `alter table ledger_entry drop constraint ledger_entry_leaf_check;
    set session_replication_role = replica;`;
  await sql.unsafe(guards.join('') + (keepGuards ? '' : unchecked) + change);
  return { sql, verifier: open(name, 'ledger_verifier') };
}

/** Makes the log again from its bytes. */
export function look(sql: Database, outside = NOTHING): Promise<FsckReport> {
  const { signal } = new AbortController();
  return inSnapshot(sql, (log) => fsck(log, outside, () => undefined, signal));
}
