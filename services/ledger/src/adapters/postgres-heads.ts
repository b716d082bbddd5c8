// SPDX-License-Identifier: Apache-2.0
import { LOG_TENANT } from '@impound/contracts/log-key.ts';
import type { Database } from '@impound/runtime/postgres.ts';
import { TILE_WIDTH } from '@impound/transparency/tile.ts';
import { arrayText } from '../db/array-text.ts';
import { asked } from '../db/guards.ts';
import type { BegunHead, HeadsBook } from '../handlers/log-heads.ts';
import { namesSigner } from './postgres-signers.ts';

/** Reads the heads of chains as they were at a size of the log. */
export function postgresHeads(sql: Database): HeadsBook {
  return {
    rooted: (below) => asked(() => rooted(sql, below)),
    hasOthers: (from) => asked(() => hasOthers(sql, from)),
    signers: (size) => asked(() => signers(sql, size)),
    touched: (from, to) => asked(() => touched(sql, from, to)),
    heads: (tiles, size) => asked(() => heads(sql, tiles, size)),
    begin: (of) => asked(() => begin(sql, of)),
  };
}

async function rooted(sql: Database, below: number) {
  const [row] = await sql`
    select idx, entry from ledger_entry
    where tenant = ${LOG_TENANT} and type = 'heads.rooted.v1' and idx < ${below}
    order by idx desc limit 1`;
  if (row === undefined) return undefined;
  return { index: Number(row['idx']), entry: (row['entry'] as Buffer).toString('utf8') };
}

async function hasOthers(sql: Database, from: number): Promise<boolean> {
  const rows = await sql`
    select 1 from ledger_entry where idx >= ${from} and tenant <> ${LOG_TENANT} limit 1`;
  return rows.length > 0;
}

async function signers(sql: Database, size: number): Promise<number> {
  const [row] = await sql`
    select count(*) from ledger_entry where ${namesSigner(sql)} and idx < ${size}`;
  return Number(row?.['count']);
}

// Each limit keeps the planner from walking all chains of the log, as it does for a few otherwise.
async function touched(sql: Database, from: number, to: number): Promise<readonly number[]> {
  const rows = await sql`
    with moved as (
      select distinct acq from ledger_entry
      where idx >= ${from} and idx < ${to} and acq is not null
    )
    select distinct first.idx / ${TILE_WIDTH}::bigint as n
    from moved cross join lateral (
      select idx from ledger_entry where acq = moved.acq and acq_seq = 1 limit 1
    ) as first`;
  return rows.map((row) => Number(row['n']));
}

async function heads(
  sql: Database,
  tiles: readonly number[],
  size: number,
): Promise<readonly BegunHead[]> {
  const rows = await sql`
    select first.idx, first.acq, last.acq_seq, last.leaf
    from unnest(${arrayText(tiles)}::bigint[]) as tile (n)
    cross join lateral (
      select idx, acq from ledger_entry
      where acq_seq = 1 and idx < ${size}
        and idx >= tile.n * ${TILE_WIDTH}::bigint
        and idx < (tile.n + 1) * ${TILE_WIDTH}::bigint
      order by idx limit ${TILE_WIDTH}::bigint
    ) as first
    cross join lateral (
      select acq_seq, leaf from ledger_entry
      where acq = first.acq and idx < ${size} order by acq_seq desc limit 1
    ) as last`;
  return rows.map((row) => ({
    index: Number(row['idx']),
    acq: String(row['acq']),
    acqSeq: Number(row['acq_seq']),
    last: row['leaf'] as Buffer,
  }));
}

async function begin(sql: Database, of: Parameters<HeadsBook['begin']>[0]) {
  const [row] = await sql`
    select min(idx) as idx, coalesce(max(acq_seq), 0) as version from ledger_entry
    where acq = ${of.acquisitionId} and tenant = ${of.tenant}`;
  return { index: Number(row?.['idx'] ?? 0), version: Number(row?.['version'] ?? 0) };
}
