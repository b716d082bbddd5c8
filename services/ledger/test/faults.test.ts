// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AcquisitionExpiredV1 } from '@impound/contracts/acquisition/expired.v1.ts';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { CallbackDeliveredV1 } from '@impound/contracts/callback/delivered.v1.ts';
import { CallbackFailedV1 } from '@impound/contracts/callback/failed.v1.ts';
import { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';
import { startPostgres } from '@impound/runtime/embedded/postgres.ts';
import { newId } from '@impound/runtime/ids.ts';
import { openDatabase } from '@impound/runtime/postgres.ts';
import { Secret } from '@impound/runtime/secret.ts';
import { until } from '@impound/runtime/testing/until.ts';
import { expired, keptLog, missing, requested, type World, world } from './world.ts';

/** Speakers that begin chains until they are stopped; gives what they were answered. */
function load(it: World, speakers: number) {
  const answered = new Map<string, number>();
  const stop = new AbortController();
  const speak = async () => {
    while (!stop.signal.aborted) {
      const id = newId();
      const reply = await it.say(AcquisitionRequestedV1, newId(), requested, { id });
      assert.ok(reply.ok, JSON.stringify(reply));
      answered.set(id, reply.seq);
    }
  };
  const speaking = Promise.all(Array.from({ length: speakers }, speak));
  return {
    answered,
    stop: async () => {
      stop.abort();
      await speaking;
    },
  };
}

/** Every answer stands where it was promised, nothing is doubled, and the log has no gap. */
async function assertWhole(it: World, answered: ReadonlyMap<string, number>): Promise<void> {
  const rows = await it.sql()`select event_id, idx from ledger_entry order by idx`;
  assert.deepEqual(
    rows.map((row) => Number(row['idx'])),
    Array.from(rows, (_, n) => n),
  );
  const stored = new Map(rows.map((row) => [row['event_id'], Number(row['idx'])]));
  assert.equal(stored.size, rows.length);
  for (const [id, seq] of answered) assert.equal(stored.get(id), seq);
  const [last] = await it.sql()`select max(size_after) as size from ledger_batch`;
  assert.equal(Number(last?.['size']), rows.length);
}

/** A ledger in a process of its own, which can be killed. */
async function ledgerProcess(t: TestContext, it: World) {
  const main = new URL('../src/main.ts', import.meta.url).pathname;
  const env = { PATH: process.env['PATH'], ...it.environment(), LOG_LEVEL: 'info' };
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  t.after(async () => void child.kill('SIGKILL'));
  let log = '';
  child.stderr.on('data', (bytes) => {
    log += bytes;
  });
  await until(() => log.includes('"msg":"writing"'));
  return { kill: () => child.kill('SIGKILL') && once(child, 'exit') };
}

test('of three ledgers one writes, and when it is killed another one does', async (t) => {
  const it = await world(t);
  const leader = await ledgerProcess(t, it);
  const logs = [keptLog(), keptLog()];
  for (const log of logs) await it.start({ log });
  const phrases = () => logs.map(({ lines }) => lines.map(({ phrase }) => phrase));
  await until(() => phrases().every((said) => said.includes('standing by')));
  const loaded = load(it, 8);
  await until(() => loaded.answered.size > 100);
  assert.ok(phrases().every((said) => !said.includes('writing')));
  await leader.kill();
  const before = loaded.answered.size;
  await until(() => loaded.answered.size > before + 100);
  await loaded.stop();
  assert.equal(phrases().filter((said) => said.includes('writing')).length, 1);
  await assertWhole(it, loaded.answered);
});

test('a writer that lost its lock unawares cannot fork the log', async (t) => {
  const it = await world(t);
  await it.start();
  const loaded = load(it, 8);
  await until(() => loaded.answered.size > 50);
  await it.start();
  const cut = `select pg_terminate_backend(l.pid) from pg_locks l
    join pg_database d on d.oid = l.database
    where locktype = 'advisory' and granted and datname = current_database()`;
  for (let round = 0; round < 2; round++) {
    const before = loaded.answered.size;
    await it.sql().unsafe(cut);
    await until(() => loaded.answered.size > before + 50);
  }
  await loaded.stop();
  await assertWhole(it, loaded.answered);
});

test('Postgres killed under load loses no answer and doubles nothing', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'impound-killed-'));
  let server = await startPostgres({ dataDir }, t.signal);
  const name = 'ledger';
  await using scope = new AsyncDisposableStack();
  const options = { connectionsMax: 1, name: 'test' };
  const admin = openDatabase(new Secret(server.url('postgres')), options, scope);
  await admin`create database ledger`;
  const it = await world(t, { database: { name, url: server.url(name), server } });
  t.after(async () => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  await it.start();
  const loaded = load(it, 16);
  for (let kill = 1; kill <= 2; kill++) {
    const before = loaded.answered.size;
    await until(() => loaded.answered.size > before + 200);
    await server.kill();
    server = await startPostgres({ dataDir, port: server.port }, t.signal);
  }
  const before = loaded.answered.size;
  await until(() => loaded.answered.size > before + 50);
  await loaded.stop();
  await assertWhole(it, loaded.answered);
  await until(() => new Set(it.heard.map(({ seq }) => seq)).size >= loaded.answered.size);
});

test('a bus that has lost everything is told the open chains, and ends that nobody was told', async (t) => {
  const it = await world(t);
  await it.start();
  const [open, ended, failed, told] = [newId(), newId(), newId(), newId()];
  for (const acq of [open, ended, failed, told]) {
    await it.say(AcquisitionRequestedV1, acq, requested);
  }
  await it.say(TargetMissingV1, open, missing);
  for (const acq of [ended, failed, told]) {
    await it.say(AcquisitionExpiredV1, acq, expired, { id: acq });
  }
  await it.say(CallbackFailedV1, failed, CallbackFailedV1.shape.parse(CallbackFailedV1.example), {
    causeId: failed,
  });
  await it.say(
    CallbackDeliveredV1,
    told,
    CallbackDeliveredV1.shape.parse(CallbackDeliveredV1.example),
    { causeId: told },
  );
  await until(() => it.heard.length === 10);
  await it.bus.kill();
  await rm(it.bus.storeDir, { recursive: true, force: true });
  await it.bus.restart();
  await until(async () => (await it.stored()).length >= 4);
  assert.deepEqual(await it.stored(), [
    { seq: 1, again: true, type: 'acquisition.requested.v1', acq: open },
    { seq: 5, again: true, type: 'target.missing.v1', acq: open },
    { seq: 6, again: true, type: 'acquisition.expired.v1', acq: ended },
    { seq: 9, again: true, type: 'callback.failed.v1', acq: failed },
  ]);
  await it.say(AcquisitionExpiredV1, open, expired);
  await until(async () => (await it.stored()).length >= 5);
  const last = { seq: 11, again: false, type: 'acquisition.expired.v1', acq: open };
  assert.deepEqual((await it.stored()).at(-1), last);
});

test('a ledger that starts again goes on where the stream ends', async (t) => {
  const it = await world(t);
  const first = await it.start();
  const acq = newId();
  await it.say(AcquisitionRequestedV1, acq, requested);
  await until(() => it.heard.length === 1);
  await first[Symbol.asyncDispose]();
  await it.start();
  await it.say(TargetMissingV1, acq, missing);
  await until(() => it.heard.length === 2);
  assert.deepEqual(
    it.heard.map(({ seq, again }) => [seq, again]),
    [
      [1, false],
      [2, false],
    ],
  );
});

test('of a chain that stands still what was handed out without effect is told again', async (t) => {
  const it = await world(t);
  await it.start({ stallMs: 300 });
  const [handed, waiting] = [newId(), newId()];
  for (const acq of [handed, waiting]) {
    const id = newId();
    await it.say(AcquisitionRequestedV1, acq, requested, { id });
    await it.say(TargetMissingV1, acq, missing, { causeId: id });
  }
  await it.take('coordinator_target_missing_v1');
  const again = () => it.heard.filter((heard) => heard.again);
  await until(() => again().length >= 3);
  // The other chain's entry lies in the stream behind the one that was handed out.
  assert.ok(
    again().every(({ seq }) => seq === 2),
    JSON.stringify(again()),
  );
  await it.say(AcquisitionExpiredV1, handed, expired);
  const told = again().length;
  await new Promise((resolve) => setTimeout(resolve, 900));
  assert.ok(again().length <= told + 1);
});

test('a consumer that was deleted is laid again, and hands out what lies in the stream', async (t) => {
  const it = await world(t);
  await it.start({ stallMs: 300 });
  const acq = newId();
  await it.say(AcquisitionRequestedV1, acq, requested);
  await it.say(TargetMissingV1, acq, missing);
  const durable = 'coordinator_target_missing_v1';
  await it.take(durable);
  await it.request(`$JS.API.CONSUMER.DELETE.IMPOUND.${durable}`, '');
  const info = `$JS.API.CONSUMER.INFO.IMPOUND.${durable}`;
  await until(async () => 'num_pending' in (await it.request(info, '')));
  await it.take(durable);
});
