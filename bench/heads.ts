// SPDX-License-Identifier: Apache-2.0
// `npm run bench -- heads [DIR]`: what a root over the heads of all chains costs a log of a million
// entries in a hundred thousand chains; DIR keeps that log for another run (some minutes).
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setImmediate } from 'node:timers/promises';
import type { Entry } from '@impound/contracts/entry.ts';
import { HeadsRootedV1 } from '@impound/contracts/heads/rooted.v1.ts';
import { inSnapshot } from '@impound/ledger/adapters/postgres-fsck.ts';
import { postgresHeads } from '@impound/ledger/adapters/postgres-heads.ts';
import type { Say } from '@impound/ledger/domain/say.ts';
import { fsck } from '@impound/ledger/handlers/fsck.ts';
import { openFindings } from '@impound/ledger/handlers/fsck-findings.ts';
import { checkingHeads } from '@impound/ledger/handlers/fsck-heads.ts';
import type { KeptLog } from '@impound/ledger/handlers/fsck-ports.ts';
import { type LogHeads, openLogHeads } from '@impound/ledger/handlers/log-heads.ts';
import { startPostgres } from '@impound/runtime/embedded/postgres.ts';
import { type Database, openDatabase } from '@impound/runtime/postgres.ts';
import { Secret } from '@impound/runtime/secret.ts';
import { leafHash } from '@impound/transparency/hash.ts';
import { formatHeadProof } from '@impound/transparency/heads.ts';
import { inclusionPath } from '@impound/transparency/proof.ts';
import { laterSaids, readAll, saids } from './ledger/events.ts';
import { fill, settle } from './ledger/growth.ts';
import { database, openWriter, type Writer } from './ledger/ours.ts';
import { held, perSecond } from './ledger/timing.ts';
import { quantile, spread } from './world/figures.ts';

const LENGTH = 10;
const ENTRIES = 15_360;
const ROUNDS = 5;
/** What a busy log writes between two roots. */
const BUSY = 30_720;
const PIECE = 1_024;
/** A door that is less full: a busy machine shall not let them wait too long. */
const WAITING_MAX = 2_048;
/** A tile in the middle of the log. */
const MIDDLE = 2_000;

const say = (line: string) => process.stdout.write(`${line}\n`);
const seconds = (ms: number) => `${(ms / 1_000).toFixed(2)} s`;

interface Log {
  readonly sql: Database;
  readonly writer: Writer;
}

/** By the clock, and in processor time of this process alone; the database's is beside it. */
async function told<T>(what: string, work: () => Promise<T>): Promise<T> {
  const [began, before] = [performance.now(), process.cpuUsage()];
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  const own = seconds((user + system) / 1_000);
  say(`${what.padEnd(48)} ${seconds(performance.now() - began)}, of them ${own} in this process`);
  return result;
}

async function roots({ sql, writer }: Log): Promise<LogHeads> {
  const heads = openLogHeads(postgresHeads(sql));
  const root = (size: number) => heads.at(size, (ranges) => ranges(0, size));
  const again = async (what: string) => told(what, () => root(writer.size()));
  const before = held();
  await again('made anew, as after a start');
  say(`what is kept of it: ${((held() - before) / 1_024).toFixed(0)} KiB`);
  await again('where nothing has moved');
  await writer.append(await busy());
  await again(`after ${BUSY} entries of new chains`);
  const rows = await sql`select acq from ledger_entry where acq_seq = 1 order by event_id`;
  const acqs = rows.map((row) => String(row['acq'])).toSorted();
  for (const count of [1_000, 10_000]) {
    const each = Math.ceil(acqs.length / count);
    const old = acqs.filter((_, at) => at % each === 0);
    for (let at = 0; at < old.length; at += PIECE) {
      await writer.append(readAll(laterSaids(old.slice(at, at + PIECE))));
    }
    await again(`after ${count} old chains, all over the log, moved`);
  }
  const size = writer.size();
  await told(`back by ${BUSY} entries, as for an older root`, () => root(size - BUSY));
  await told('and forth again', () => root(size));
  const { index, acq, acqSeq, last } =
    (await postgresHeads(sql).heads([MIDDLE], size))[0] ?? never();
  const path = await heads.at(size, (ranges) => inclusionPath(ranges, index, size));
  const proof = formatHeadProof({ index: BigInt(index), acqSeq: BigInt(acqSeq), last, path });
  say(`the proof of ${acq}: ${path.length} hashes, ${proof.length} bytes`);
  return heads;
}

/** Made in pieces: who does nothing else for ten seconds loses the pen. */
async function busy(): Promise<Say[]> {
  const says: Say[] = [];
  while (says.length < BUSY) {
    says.push(...readAll(saids(PIECE, LENGTH)));
    await setImmediate();
  }
  return says;
}

function never(): never {
  throw new Error('no chain begins in the middle of this log');
}

/**
 * Entries a second, alone and while roots are made without a pause, in turns; gives what is left of
 * the one beside the other.
 */
async function beside({ sql, writer }: Log): Promise<number> {
  const rates: Record<'alone' | 'rooting', number[]> = { alone: [], rooting: [] };
  let made = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (const leg of ['alone', 'rooting'] as const) {
      const says = await busy();
      const stop = new AbortController();
      const rooting =
        leg === 'alone'
          ? undefined
          : (async () => {
              while (!stop.signal.aborted) {
                const [heads, size] = [openLogHeads(postgresHeads(sql)), writer.size()];
                await heads.at(size, (ranges) => ranges(0, size));
                made++;
              }
            })();
      rates[leg].push(await perSecond(BUSY, () => writer.append(says)));
      stop.abort();
      await rooting;
    }
  }
  say(`entries/s alone ${spread(rates.alone, 0)}`);
  say(`entries/s while ${made} roots were made anew beside them ${spread(rates.rooting, 0)}`);
  return quantile(rates.rooting, 0.5) / quantile(rates.alone, 0.5);
}

/** What heads cost of an fsck, in processor time, for a log that roots them this often. */
async function share(log: KeptLog, every: number): Promise<void> {
  const heads = checkingHeads(openFindings());
  let microseconds = 0;
  for await (const page of log.entries(AbortSignal.any([]))) {
    const read = page.map(({ entry, idx }) => ({
      entry: entryAt(entry, idx, every),
      idx,
      hash: leafHash(entry),
    }));
    const before = process.cpuUsage();
    for (const { entry, ...at } of read) heads.add(entry, at);
    await heads.settle();
    const { user, system } = process.cpuUsage(before);
    microseconds += user + system;
  }
  const name = `fsck of heads, a root every ${every} entries`.padEnd(48);
  say(`${name} ${seconds(microseconds / 1_000)} of processor time, ${heads.rooted()} roots`);
}

/** As it is, or as a root in its place would be. */
function entryAt(bytes: Buffer, idx: number, every: number): Entry {
  const entry = JSON.parse(bytes.toString()) as Entry;
  if (idx === 0 || idx % every > 0) return entry;
  const data = { size: idx, root: '0'.repeat(64) };
  return { ...entry, event: { ...entry.event, type: HeadsRootedV1.type, data } };
}

await using scope = new AsyncDisposableStack();
const [given] = process.argv.slice(2);
const folder = given ?? (await mkdtemp(join(tmpdir(), 'impound-bench-')));
if (given === undefined)
  scope.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
const signal = new AbortController().signal;
const server = scope.use(await startPostgres({ dataDir: join(folder, 'postgres') }, signal));
const url = await database(server, 'ledger');
const writer = scope.use(await openWriter(url, WAITING_MAX));
await fill(writer, ENTRIES, LENGTH);
await settle(server.url('ledger'));
const sql = openDatabase(
  new Secret(url),
  { connectionsMax: 4, name: 'bench', statementMsMax: 600_000 },
  scope,
);
const [row] = await sql`select count(*) as chains from ledger_entry where acq_seq = 1`;
say(
  `${writer.size()} entries in ${row?.['chains']} chains; load ${loadavg()[0]?.toFixed(1)} on ${cpus().length} cores`,
);
await roots({ sql, writer });
const left = await beside({ sql, writer });
const outside = { witnesses: [], keys: [], known: [], stamp: undefined };
await inSnapshot(sql, async (log) => {
  await told('fsck of all of it', () => fsck(log, outside, () => undefined, signal));
  for (const every of [10_000, 100, 2]) await share(log, every);
});
say(`heads ratio=${left.toFixed(2)}`);
