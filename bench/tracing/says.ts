// SPDX-License-Identifier: Apache-2.0
// One round, speaker and ledger in one process: prints says a second, and what one costs.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import type { SayReply } from '@impound/contracts/say.ts';
import { migrate } from '@impound/ledger/db/migrate.ts';
import { ledger } from '@impound/ledger/service.ts';
import { openBus } from '@impound/runtime/bus.ts';
import { startNatsServer } from '@impound/runtime/embedded/nats-server.ts';
import { startPostgres } from '@impound/runtime/embedded/postgres.ts';
import { newId } from '@impound/runtime/ids.ts';
import { openLog } from '@impound/runtime/log.ts';
import { sayer } from '@impound/runtime/say.ts';
import { start } from '@impound/runtime/start.ts';
import { tracedSay } from '@impound/runtime/trace.ts';
import { newLogKeys } from '@impound/transparency/log-keys.ts';

const WARM_UP = 2_000;
const SAYS = 10_000;
const AT_ONCE = 128;
const TRACED = 100_000;

const never = new AbortController().signal;
await using scope = new AsyncDisposableStack();
const folder = await mkdtemp(join(tmpdir(), 'impound-bench-'));
scope.defer(() => rm(folder, { recursive: true, force: true }));
const postgres = scope.use(await startPostgres({ dataDir: join(folder, 'postgres') }, never));
await migrate(postgres.url('postgres'), { writerPassword: postgres.password('ledger_writer') });
const binary = process.env['NATS_SERVER'];
const bus = await startNatsServer({ storeDir: join(folder, 'nats'), binary }, never);
scope.defer(() => bus.stop());
const quiet = openLog('bench', 'silent');
const DATABASE_URL = postgres.url('postgres', 'ledger_writer');
const LOG_KEYS = newLogKeys('bench.test/log');
scope.use(await start(ledger, { NATS_URL: bus.url, DATABASE_URL, LOG_KEYS }, quiet));
const speaker = { url: bus.url, service: 'gateway', worker: 'gateway-1' };
const say = sayer(await openBus(speaker, quiet, scope, never), '/impound/gateway/gateway-1');
const data = AcquisitionRequestedV1.shape.parse(AcquisitionRequestedV1.example);

async function sayMany(count: number): Promise<void> {
  let left = count;
  const slot = async () => {
    while (left-- > 0) {
      const about = { id: newId(), tenant: 'default', acquisitionId: newId() };
      await say({ contract: AcquisitionRequestedV1, data, ...about }, never);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, slot));
}

/** The code around a say without the say. */
async function traceMany(count: number): Promise<void> {
  const reply: SayReply = { ok: false, refusal: 'conflict', because: 'x', version: 0 };
  const acquisitionId = newId();
  const type = AcquisitionRequestedV1.type;
  const of = { service: 'gateway', type, id: newId(), acquisitionId, inherited: undefined };
  for (let at = 0; at < count; at++) await tracedSay({ ...of, begins: false }, async () => reply);
}

/** The processor's time tells the same on a machine that does other things beside. */
async function costOf(work: () => Promise<void>): Promise<{ seconds: number; cpu: number }> {
  const began = { at: performance.now(), cpu: process.cpuUsage() };
  await work();
  const { user, system } = process.cpuUsage(began.cpu);
  return { seconds: (performance.now() - began.at) / 1_000, cpu: user + system };
}

await sayMany(WARM_UP);
const said = await costOf(() => sayMany(SAYS));
await traceMany(WARM_UP);
const traced = await costOf(() => traceMany(TRACED));
const figures = {
  saysPerSecond: SAYS / said.seconds,
  cpuPerSay: said.cpu / SAYS,
  cpuOfTracing: traced.cpu / TRACED,
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
