// SPDX-License-Identifier: Apache-2.0
import type { Database } from '@impound/runtime/postgres.ts';
import { edgeBytes, type FullTile, rootOf, type Tree } from '@impound/transparency/tree.ts';
import type { KeyRow, Row } from './rows.ts';

/** What one transaction adds to the log. */
export interface Addition {
  /** Leaves in the log before. */
  readonly size: number;
  readonly rows: readonly Row[];
  readonly keys: readonly KeyRow[];
  /** The tree with them, and the tiles that they filled. */
  readonly tree: Tree;
  readonly tiles: readonly FullTile[];
  readonly writerEpoch: number;
}

/** OIDs of array types (src/include/catalog/pg_type.dat): plain lists lack what a bytea needs. */
const BOOLEANS = 1000;
const BYTEAS = 1001;
const SMALLINTS = 1005;
const INTEGERS = 1007;
const TEXTS = 1009;
const BIGINTS = 1016;
const UUIDS = 2951;

/** One statement, so one transaction: entries, tiles, and the batch that makes them the log. */
export async function append(sql: Database, adding: Addition): Promise<void> {
  const { size, rows, tree, tiles, keys, writerEpoch } = adding;
  const column = <K extends keyof Row>(key: K, type: number) =>
    sql.array(rows.map((row) => row[key]) as never[], type);
  await sql`
    with batch as (
      insert into ledger_batch (size_before, size_after, root, edge, writer_epoch)
      values (${size}, ${tree.size}, ${rootOf(tree)}, ${edgeBytes(tree)}, ${writerEpoch})
    )${tiles.length === 0 ? sql`` : sql`, tile as (${insertTiles(sql, tiles)})`}
    ${keys.length === 0 ? sql`` : sql`, key as (${insertKeys(sql, keys)})`}
    insert into ledger_entry (idx, event_id, entry, leaf, acq, acq_seq, tenant, case_id, actor,
      speaker, cause, type, target, ends, event_at, recorded_at)
    select ${size}::bigint + n - 1, event_id, entry, leaf, acq, acq_seq, tenant, case_id, actor,
      speaker, cause, type, target, ends, event_at::timestamptz, recorded_at::timestamptz
    from unnest(${column('eventId', UUIDS)}, ${column('entry', BYTEAS)},
      ${column('leaf', BYTEAS)}, ${column('acq', UUIDS)}, ${column('acqSeq', INTEGERS)},
      ${column('tenant', TEXTS)}, ${column('caseId', TEXTS)}, ${column('actor', TEXTS)},
      ${column('speaker', TEXTS)}, ${column('cause', UUIDS)}, ${column('type', TEXTS)},
      ${column('target', TEXTS)}, ${column('ends', BOOLEANS)}, ${column('eventAt', TEXTS)},
      ${column('recordedAt', TEXTS)})
    with ordinality as t (event_id, entry, leaf, acq, acq_seq, tenant, case_id, actor, speaker,
      cause, type, target, ends, event_at, recorded_at, n)`;
}

function insertTiles(sql: Database, tiles: readonly FullTile[]) {
  const column = <K extends keyof FullTile>(key: K, type: number) =>
    sql.array(tiles.map((tile) => tile[key]) as never[], type);
  return sql`
    insert into ledger_tile (level, n, hashes, root)
    select * from unnest(${column('level', SMALLINTS)}, ${column('n', BIGINTS)},
      ${column('hashes', BYTEAS)}, ${column('root', BYTEAS)})`;
}

function insertKeys(sql: Database, keys: readonly KeyRow[]) {
  const column = <K extends keyof KeyRow>(key: K, type: number) =>
    sql.array(keys.map((one) => one[key]) as never[], type);
  return sql`
    insert into ledger_key (idx, role, public_key, change)
    select idx, role, decode(public_key, 'base64'), change
    from unnest(${column('seq', BIGINTS)}, ${column('role', TEXTS)},
      ${column('publicKey', TEXTS)}, ${column('change', TEXTS)})
      as t (idx, role, public_key, change)`;
}
