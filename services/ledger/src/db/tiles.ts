// SPDX-License-Identifier: Apache-2.0
import type { Database } from '@impound/runtime/postgres.ts';
import { TILE_WIDTH, type Tile } from '@impound/transparency/tile.ts';

/** The hashes of a tile: a full one as it is stored, a partial one from the rows that it is of. */
export async function readTile(sql: Database, { level, n, width }: Tile): Promise<Buffer> {
  const [row] = await sql`select hashes from ledger_tile where level = ${level} and n = ${n}`;
  if (row !== undefined) return row['hashes'] as Buffer;
  const from = n * TILE_WIDTH;
  const rows =
    level === 0
      ? await sql`
        select leaf as hash from ledger_entry
        where idx >= ${from} and idx < ${from + width} order by idx`
      : await sql`
        select root as hash from ledger_tile
        where level = ${level - 1} and n >= ${from} and n < ${from + width} order by n`;
  return Buffer.concat(rows.map((one) => one['hash'] as Buffer));
}
