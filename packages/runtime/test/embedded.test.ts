// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import postgres from 'postgres';
import { startNatsServer } from '../src/embedded/nats-server.ts';
import { freePort } from '../src/embedded/ports.ts';
import { startPostgres } from '../src/embedded/postgres.ts';
import { testBus } from '../src/testing/bus.ts';
import { testDatabase } from '../src/testing/database.ts';

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'impound-embedded-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

test('a bus takes messages, dies by SIGKILL and comes back on its port with them', async (t) => {
  const bus = await testBus(t);
  const first = await connect({ servers: bus.url });
  const manager = await jetstreamManager(first);
  await manager.streams.add({ name: 'kept', subjects: ['kept.>'] });
  await manager.jetstream().publish('kept.one', 'x');
  await first.close();
  await bus.kill();
  const again = await bus.restart();
  assert.equal(again.port, bus.port);
  const second = await connect({ servers: again.url });
  const info = await (await jetstreamManager(second)).streams.info('kept');
  assert.equal(info.state.messages, 1);
  await second.close();
});

test('a bus with users in its configuration refuses whoever is none of them', async (t) => {
  const bus = await testBus(t, {
    config: 'authorization { users: [ { user: ledger, password: not-a-secret } ] }',
  });
  await assert.rejects(connect({ servers: bus.url, reconnect: false }), /authorization/i);
  const known = await connect({ servers: bus.url, user: 'ledger', pass: 'not-a-secret' });
  assert.equal(known.getServer().endsWith(String(bus.port)), true);
  await known.close();
});

test('a port to be bound later is none that the system gives to whoever asks for any', async (t) => {
  const range = await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').catch(() => '');
  const [first = 0, last = 0] = range.trim().split(/\s+/).map(Number);
  if (first < 30_000) return t.skip('this system gives out nearly all ports by itself');
  const ports = await Promise.all(Array.from({ length: 50 }, freePort));
  assert.equal(new Set(ports).size, ports.length);
  const lent = ports.filter((port) => port >= first && port <= last);
  assert.deepEqual(lent, []);
});

test('a configuration that nats-server refuses is reported in its own words', async (t) => {
  await assert.rejects(testBus(t, { config: 'no_such_field: 1' }), /no_such_field/);
});

test('a program that is not there is reported with what to install', async (t) => {
  const storeDir = await folder(t);
  const start = startNatsServer({ storeDir, binary: '/nowhere/nats-server' }, t.signal);
  await assert.rejects(start, /\/nowhere\/nats-server was not found.*apt-get install nats-server/);
});

test('each test gets an empty, durable database with a password', async (t) => {
  const [one, other] = [await testDatabase(t), await testDatabase(t)];
  assert.notEqual(one.name, other.name);
  const sql = postgres(one.url);
  t.after(() => sql.end());
  const [row] = await sql`select current_setting('fsync') as fsync,
    current_setting('synchronous_commit') as commit, current_setting('data_checksums') as sums`;
  assert.deepEqual({ ...row }, { fsync: 'on', commit: 'on', sums: 'on' });
  const [{ tables } = { tables: -1 }] = await sql<{ tables: number }[]>`
    select count(*)::int as tables from pg_tables where schemaname = 'public'`;
  assert.equal(tables, 0);
  const wrong = new URL(one.url);
  wrong.password = 'wrong';
  const stranger = postgres(wrong.href);
  await assert.rejects(async () => await stranger`select 1`, /password authentication failed/);
  await stranger.end();
});

test('a role connects with the password the server names for it', async (t) => {
  const { server, name } = await testDatabase(t);
  const admin = postgres(server.url(name));
  await admin.unsafe(`create role writer login password '${server.password('writer')}'`);
  await admin.end();
  const writer = postgres(server.url(name, 'writer'));
  const [row] = await writer`select current_user as who`;
  assert.equal(row?.['who'], 'writer');
  assert.notEqual(server.password('writer'), server.password('postgres'));
  await writer.end();
});

test('a database keeps what was committed through SIGKILL and a second start', async (t) => {
  const dataDir = await folder(t);
  const first = await startPostgres({ dataDir }, t.signal);
  const before = postgres(first.url('postgres'), { max: 1, onclose: () => {} });
  await before`create table kept as select 42 as answer`;
  await first.kill();
  await before.end({ timeout: 0 });
  const second = await startPostgres({ dataDir, port: first.port }, t.signal);
  assert.equal(second.url('postgres'), first.url('postgres'));
  const after = postgres(second.url('postgres'), { max: 1 });
  const [row] = await after`select answer from kept`;
  assert.equal(row?.['answer'], 42);
  await after.end();
  await second.stop();
  assert.deepEqual((await readdir(dataDir)).toSorted(), ['cluster', 'secret']);
});

test('a database that is killed leaves no process, not even one that cannot see its end', async (t) => {
  const dataDir = await folder(t);
  const first = await startPostgres({ dataDir }, t.signal);
  const sql = postgres(first.url('postgres'), { max: 1, onclose: () => {} });
  const rows = await sql`select pid from pg_stat_activity`;
  const pids = rows.map((row) => Number(row['pid']));
  assert.ok(pids.length > 2);
  // As one that waits for a lock of a process that is gone.
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  await first.kill();
  await sql.end({ timeout: 0 });
  const lives = async (pid: number) =>
    !/^$|\) [ZX]/.test(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''));
  // They end by the signal, each in its time; one that stood still would never do so.
  for (const pid of pids) while (await lives(pid)) await sleep(5);
  await (await startPostgres({ dataDir }, t.signal)).stop();
});

test('a lock whose number now belongs to another program does not stop the start', async (t) => {
  const dataDir = await folder(t);
  const first = await startPostgres({ dataDir }, t.signal);
  const lock = join(dataDir, 'cluster', 'postmaster.pid');
  const content = await readFile(lock, 'utf8');
  await first.kill();
  await writeFile(lock, content.replace(/^\d+/, String(process.pid)));
  const second = await startPostgres({ dataDir }, t.signal);
  await second.stop();
});

test('a start that is aborted leaves no process and says why', async (t) => {
  const dataDir = await folder(t);
  const stop = new AbortController();
  const start = startPostgres({ dataDir }, stop.signal);
  setTimeout(() => stop.abort(new Error('enough')), 100);
  await assert.rejects(start);
  await (await startPostgres({ dataDir }, t.signal)).stop();
});

test('a bus and a database end with a parent that is killed', async (t) => {
  const dir = await folder(t);
  const script = `
    import { startNatsServer } from '${new URL('../src/embedded/nats-server.ts', import.meta.url)}';
    import { startPostgres } from '${new URL('../src/embedded/postgres.ts', import.meta.url)}';
    const signal = AbortSignal.timeout(280_000);
    const binary = process.env.NATS_SERVER;
    const bus = await startNatsServer({ storeDir: '${dir}/bus', binary }, signal);
    const database = await startPostgres({ dataDir: '${dir}/database' }, signal);
    process.stdout.write(bus.port + ' ' + database.port);`;
  const parent = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = once(parent.stdout, 'data').then(([bytes]) => bytes);
  const bytes = await Promise.race([said, once(parent, 'exit').then(() => '')]);
  parent.kill('SIGKILL');
  assert.match(String(bytes), /^\d+ \d+$/);
  for (const port of String(bytes).split(' ')) await untilClosed(Number(port), t.signal);
});

/** Waits until nobody listens on the port; the limit of the test ends the wait. */
async function untilClosed(port: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const open = await fetch(`http://127.0.0.1:${port}`).then(
      () => true,
      (error) => error.cause?.code !== 'ECONNREFUSED',
    );
    if (!open) return;
    await sleep(20, undefined, { signal });
  }
}
