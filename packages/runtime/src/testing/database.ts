// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import postgres from 'postgres';
import { type PostgresServer, startPostgres } from '../embedded/postgres.ts';
import type { TestScope } from './bus.ts';

/** A database that belongs to one test, in a Postgres that belongs to one test file. */
export interface TestDatabase {
  readonly name: string;
  /** Connects the superuser. */
  readonly url: string;
  /** To connect other roles. A test that stops or kills it ends it for its whole file. */
  readonly server: PostgresServer;
}

interface Running {
  readonly server: PostgresServer;
  readonly dataDir: string;
}

let running: Promise<Running> | undefined;

after(async () => {
  const { server, dataDir } = (await running?.catch(() => undefined)) ?? {};
  await server?.stop();
  if (dataDir !== undefined) await rm(dataDir, { recursive: true, force: true });
});

/**
 * An empty database. The Postgres around it starts with the first call of a test file and ends,
 * with everything in it, when the last test of the file has ended.
 */
export async function testDatabase(t: TestScope): Promise<TestDatabase> {
  running ??= start();
  const { server } = await running;
  t.signal.throwIfAborted();
  const name = `test_${randomBytes(6).toString('hex')}`;
  const sql = postgres(server.url('postgres'), { max: 1, onnotice: () => {} });
  try {
    await sql`create database ${sql(name)}`;
  } finally {
    await sql.end();
  }
  return { name, url: server.url(name), server };
}

async function start(): Promise<Running> {
  const dataDir = await mkdtemp(join(tmpdir(), 'impound-database-'));
  try {
    const server = await startPostgres({ dataDir }, new AbortController().signal);
    return { server, dataDir };
  } catch (error) {
    await rm(dataDir, { recursive: true, force: true });
    throw error;
  }
}
