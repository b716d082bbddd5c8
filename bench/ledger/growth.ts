// SPDX-License-Identifier: Apache-2.0
import postgres from 'postgres';
import { quantile, spread } from '../world/figures.ts';
import { readAll, saids } from './events.ts';
import type { Writer } from './ours.ts';
import { perSecond } from './timing.ts';

const MILLION = 1_000_000;
const ROUNDS = 14;

/** A log in a database of its own; `url` is a superuser's. */
export interface Grown {
  readonly writer: Writer;
  readonly url: string;
}

type Leg = 'small' | 'large';

/**
 * Entries a second at a thousand and at a million entries, in turns, of which each log has the
 * first one as often; both beginning with a checkpoint, as both would have it every few minutes.
 */
export async function growth(
  logs: Readonly<Record<Leg, Grown>>,
  { entries, say }: { readonly entries: number; readonly say: (line: string) => void },
): Promise<void> {
  await logs.small.writer.append(readAll(saids(1_000)));
  await fill(logs.large.writer, entries);
  const { large, small } = logs;
  for (const { url } of [large, small]) await settle(url);
  const rates: Record<Leg, number[]> = { small: [], large: [] };
  const wal: Record<Leg, number[]> = { small: [], large: [] };
  for (let round = 0; round < ROUNDS; round++) {
    const legs: readonly Leg[] = round % 2 === 0 ? ['small', 'large'] : ['large', 'small'];
    for (const leg of legs) {
      const { writer, url } = logs[leg];
      const says = readAll(saids(entries));
      const before = await walBytes(url);
      rates[leg].push(await perSecond(entries, () => writer.append(says)));
      wal[leg].push(((await walBytes(url)) - before) / entries);
    }
  }
  say(`at 10^3 entries ${spread(rates.small, 0)} entries/s, at 10^6 ${spread(rates.large, 0)}`);
  say(`WAL an entry ${spread(wal.small, 0)} bytes, at 10^6 ${spread(wal.large, 0)}`);
  const ratio = quantile(rates.large, 0.5) / quantile(rates.small, 0.5);
  say(`ledger-growth ratio=${ratio.toFixed(2)} (gate 0.90)`);
}

/** Fills a log to a million entries, so many at a time, in chains of this length. */
export async function fill(writer: Writer, entries: number, length?: number): Promise<void> {
  for (let told = 0; writer.size() < MILLION; told++) {
    if (told % 10 === 0) process.stderr.write(`${writer.size()} of ${MILLION} entries\n`);
    await writer.append(readAll(saids(entries, length)));
  }
}

/** What was written before is looked through and on its disk: nobody shall wait for that. */
export async function settle(url: string): Promise<void> {
  const sql = postgres(url, { max: 1 });
  await sql`vacuum analyze`;
  await sql`checkpoint`;
  await sql.end();
}

async function walBytes(url: string): Promise<number> {
  const sql = postgres(url, { max: 1 });
  const [row] = await sql`select pg_current_wal_insert_lsn() - '0/0' as bytes`;
  await sql.end();
  return Number(row?.['bytes']);
}
