// SPDX-License-Identifier: Apache-2.0
import { Never } from '@impound/runtime/fault.ts';
import type { Database } from '@impound/runtime/postgres.ts';
import { hashesAt, partialWidth } from '@impound/transparency/tile.ts';
import { edgeBytes, rootOf, type Tree, treeFrom } from '@impound/transparency/tree.ts';
import { asked, checkGuards } from './guards.ts';

/** Throws Never where the database is not guarded or damaged, Later where it is away. */
export async function checkWhole(sql: Database): Promise<void> {
  await checkGuards(sql);
  await asked(() => readTree(sql));
}

/** The log as its last batch left it. */
export interface Standing {
  readonly tree: Tree;
  /** Of the process that wrote that batch. */
  readonly writerEpoch: number;
}

/**
 * The tree over all that is committed, made again from the rows beside its full tiles. Throws Never
 * where these are not the rows whose root the last batch holds: nothing may be added to that.
 */
export async function readTree(sql: Database): Promise<Standing> {
  const read = await sql.begin('isolation level repeatable read read only', readStanding);
  const { size, entries, partial } = read;
  if (size !== entries) throw damaged(`batches end at ${size}, entries at ${entries}`);
  const tree = treeOf(size, partial);
  if (!edgeBytes(tree).equals(read.edge)) throw damaged(`the edge of batch ${size} is another`);
  if (!rootOf(tree).equals(read.root)) throw damaged(`the root of batch ${size} is another`);
  return { tree, writerEpoch: read.writerEpoch };
}

function treeOf(size: number, partial: readonly (readonly Buffer[])[]): Tree {
  try {
    return treeFrom(size, partial);
  } catch (cause) {
    throw damaged((cause as Error).message, cause);
  }
}

function damaged(what: string, cause?: unknown): Never {
  const advice = 'find out who changed it, and restore the database completely';
  return new Never('log-damaged', `the log does not fit its own tree: ${what}: ${advice}`, {
    cause,
  });
}

type Asking = Pick<Database, 'unsafe'>;

async function readStanding(sql: Asking) {
  const [row] = await sql.unsafe(`
    select size_after, root, edge, writer_epoch,
      (select coalesce(max(idx), -1) + 1 from ledger_entry) as entries
    from ledger_batch order by size_after desc limit 1`);
  const size = Number(row?.['size_after']);
  const partial: Buffer[][] = [];
  for (let level = 0; hashesAt(size, level) > 0; level++) {
    partial.push(await readPartial(sql, size, level));
  }
  return {
    size,
    entries: Number(row?.['entries']),
    root: row?.['root'] as Buffer,
    edge: row?.['edge'] as Buffer,
    writerEpoch: Number(row?.['writer_epoch']),
    partial,
  };
}

/** The hashes of a level's last tile, where it is not full: from the rows that they belong to. */
async function readPartial(sql: Asking, size: number, level: number): Promise<Buffer[]> {
  const to = hashesAt(size, level);
  const from = to - partialWidth(size, level);
  const rows =
    level === 0
      ? await sql.unsafe(
          'select leaf as hash from ledger_entry where idx >= $1 and idx < $2 order by idx',
          [from, to],
        )
      : await sql.unsafe(
          `select root as hash from ledger_tile
            where level = $1 and n >= $2 and n < $3 order by n`,
          [level - 1, from, to],
        );
  return rows.map((row) => row['hash'] as Buffer);
}
