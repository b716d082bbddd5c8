// SPDX-License-Identifier: Apache-2.0
// What cannot be spared on a fresh directory: the same code imported, an empty PostgreSQL and an
// empty nats-server started and each used once. Ends by itself.
import { join } from 'node:path';
import process from 'node:process';
import { startNatsServer } from '@impound/runtime/embedded/nats-server.ts';
import { startPostgres } from '@impound/runtime/embedded/postgres.ts';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import postgres from 'postgres';

await import('../../cli/src/platform.ts');
const [directory = '.'] = process.argv.slice(2);
const signal = AbortSignal.timeout(120_000);
await using scope = new AsyncDisposableStack();
const binary = process.env['NATS_SERVER'];
const [database, bus] = await Promise.all([
  startPostgres({ dataDir: join(directory, 'postgres') }, signal),
  startNatsServer({ storeDir: join(directory, 'nats'), binary }, signal),
]);
scope.use(database);
scope.use(bus);
const sql = postgres(database.url('postgres'), { max: 1 });
scope.defer(() => sql.end({ timeout: 1 }));
await sql`create table bench_start (id bigint)`;
const connection = await connect({ servers: bus.url });
scope.defer(() => connection.close());
await (await jetstreamManager(connection)).streams.add({ name: 'bench', subjects: ['bench'] });
process.stdout.write('bare start is up\n');
