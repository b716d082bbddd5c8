// SPDX-License-Identifier: Apache-2.0
// `npm run bench -- ledger [--growth]`: entries a second that are durable and in the tree, held
// against what is usually built instead, in turns on one database; what verifying costs; how long
// one say takes. With --growth also what a log of a million entries costs (some minutes).
import { hash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { nodeTools } from '@impound/ledger/adapters/node-tools.ts';
import { rowsOf } from '@impound/ledger/db/rows.ts';
import { decide } from '@impound/ledger/domain/decide.ts';
import type { Say } from '@impound/ledger/domain/say.ts';
import { startPostgres } from '@impound/runtime/embedded/postgres.ts';
import { leafHash } from '@impound/transparency/hash.ts';
import { EMPTY_TREE, grow, rootOf } from '@impound/transparency/tree.ts';
import { quantile, spread } from '../world/figures.ts';
import { readAll, saids } from './events.ts';
import { growth, settle } from './growth.ts';
import { latencies } from './latency.ts';
import { database, openWriter, type Writer } from './ours.ts';
import { openRivals, type Row } from './rivals.ts';
import { perSecond } from './timing.ts';

const ROUNDS = 9;
/** These come first and do not count: compilers and caches have seen all of it then. */
const WARMING = 2;
/** Whole batches, and long enough that neither the first nor the last one counts for much. */
const ENTRIES = 15_360;
const LINKS = 1_024;

const say = (line: string) => process.stdout.write(`${line}\n`);

function rowsFrom(says: readonly Say[]): Row[] {
  const known = {
    firsts: new Map(says.map(({ event }) => [event.id, null])),
    heads: new Map(says.map(({ event }) => [event.subject, null])),
  };
  const { drafts } = decide(says, known, { size: 0, tools: nodeTools('bench') });
  return rowsOf({ drafts, leaves: [] }).map((row) => ({ ...row, entry: Buffer.from(row.entry) }));
}

type Leg = 'ours' | 'door' | 'chain' | 'copy' | 'insert';

async function appends(writer: Writer, url: string, scope: AsyncDisposableStack): Promise<void> {
  const rivals = await openRivals(url, scope);
  const rates: Record<Leg, number[]> = { ours: [], door: [], chain: [], copy: [], insert: [] };
  for (let round = -WARMING; round < ROUNDS; round++) {
    const [first, second] = [readAll(saids(ENTRIES)), saids(ENTRIES)];
    const rows = rowsFrom(readAll(saids(ENTRIES)));
    const links = rows.slice(0, LINKS);
    const measured: Record<Leg, number> = {
      ours: await perSecond(ENTRIES, () => writer.append(first)),
      copy: await perSecond(ENTRIES, () => rivals.copy(rows)),
      door: await perSecond(ENTRIES, () => writer.append(readAll(second))),
      insert: await perSecond(ENTRIES, () => rivals.insert(rows)),
      chain: await perSecond(LINKS, () => rivals.chain(links)),
    };
    if (round >= 0) for (const leg of Object.keys(rates) as Leg[]) rates[leg].push(measured[leg]);
  }
  const names: Record<Leg, string> = {
    ours: 'ours, from what was said to durable and in the tree',
    door: 'ours, with reading and checking each event',
    chain: 'advisory lock and previous hash, 8 connections',
    copy: 'binary COPY of the same rows, 2,048 a transaction',
    insert: 'INSERT of the same rows, 512 a transaction',
  };
  for (const leg of Object.keys(names) as Leg[]) {
    say(`${names[leg].padEnd(52)} ${spread(rates[leg], 0)} entries/s`);
  }
  const ratio = (leg: Leg) => quantile(rates.ours, 0.5) / quantile(rates[leg], 0.5);
  say(`ledger-copy ratio=${ratio('copy').toFixed(2)} (gate 0.40, aim 0.60)`);
  say(`ledger-insert ratio=${ratio('insert').toFixed(2)} (gate 0.50, aim 0.85)`);
  headline = ratio('chain');
}

/** Entries a second that are checked: leaf hash, tree, root; the limit is two bare hashes each. */
async function verification(): Promise<void> {
  const entries = rowsFrom(readAll(saids(ENTRIES))).map(({ entry }) => entry);
  const node = Buffer.alloc(65);
  const bare = (form: 'buffer' | 'hex') => () => {
    for (const entry of entries) {
      hash('sha256', entry, form);
      hash('sha256', node, form);
    }
  };
  const legs = {
    ours: () => rootOf(grow(EMPTY_TREE, entries.map(leafHash)).tree),
    bytes: bare('buffer'),
    text: bare('hex'),
  };
  const names = Object.keys(legs) as (keyof typeof legs)[];
  const rates = { ours: [] as number[], bytes: [] as number[], text: [] as number[] };
  for (let round = -WARMING; round < ROUNDS; round++) {
    for (const name of names) {
      const rate = await perSecond(ENTRIES, legs[name]);
      if (round >= 0) rates[name].push(rate);
    }
  }
  say(`verified ${spread(rates.ours, 0)} entries/s`);
  say(`two bare SHA-256 each as bytes ${spread(rates.bytes, 0)}, as text ${spread(rates.text, 0)}`);
  const ratio = (name: keyof typeof legs) => {
    return (quantile(rates.ours, 0.5) / quantile(rates[name], 0.5)).toFixed(2);
  };
  say(`ledger-verify ratio=${ratio('bytes')} (gate 0.75, aim 0.90), as text ${ratio('text')}`);
}

let headline = Number.NaN;
await using scope = new AsyncDisposableStack();
const folder = await mkdtemp(join(tmpdir(), 'impound-bench-'));
scope.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
const never = new AbortController().signal;
const server = scope.use(await startPostgres({ dataDir: join(folder, 'postgres') }, never));
const url = await database(server, 'ledger');
const writer = scope.use(await openWriter(url));
await appends(writer, server.url('ledger'), scope);
await verification();
await settle(server.url('ledger'));
for (const line of await latencies(writer)) say(line);
if (process.argv.includes('--growth')) {
  const small = scope.use(await openWriter(await database(server, 'small')));
  const logs = {
    small: { writer: small, url: server.url('small') },
    large: { writer, url: server.url('ledger') },
  };
  await growth(logs, { entries: ENTRIES, say });
}
say(`ledger ratio=${headline.toFixed(1)} (against the chain: gate 20, aim 40)`);
