// SPDX-License-Identifier: Apache-2.0
import type { Database } from '@impound/runtime/postgres.ts';
import { HASH_BYTES } from '@impound/transparency/hash.ts';
import { edgeBytes, type FullTile, rootOf, type Tree } from '@impound/transparency/tree.ts';
import type { KeySaid } from '../domain/keys-said.ts';
import { arrayText, type Item } from './array-text.ts';
import type { Row } from './rows.ts';

/** What one transaction adds to the log. */
export interface Addition {
  /** Leaves in the log before. */
  readonly size: number;
  readonly rows: readonly Row[];
  readonly keys: readonly KeySaid[];
  /** The tree with them, and the tiles that they filled. */
  readonly tree: Tree;
  readonly tiles: readonly FullTile[];
  readonly writerEpoch: number;
}

/**
 * One statement, so one transaction: entries, tiles, and the batch that makes them the log. It is
 * run where it is awaited.
 */
export function appending(sql: Database, adding: Addition): PromiseLike<unknown> {
  const { size, rows, tree, tiles, keys, writerEpoch } = adding;
  const { texts, bytes, from, length } = packed(rows);
  const column = (key: keyof Row) => arrayText(rows.map((row) => row[key] as Item));
  return sql`
    with packed as materialized (
      select convert_to(${texts}, 'UTF8') as texts, ${bytes}::bytea as bytes
    ), batch as (
      insert into ledger_batch (size_before, size_after, root, edge, writer_epoch)
      values (${size}, ${tree.size}, ${rootOf(tree)}, ${edgeBytes(tree)}, ${writerEpoch})
    )${tiles.length === 0 ? sql`` : sql`, tile as (${insertTiles(sql, tiles)})`}
    ${keys.length === 0 ? sql`` : sql`, key as (${insertKeys(sql, keys)})`}
    insert into ledger_entry (idx, event_id, entry, leaf, acq, acq_seq, tenant, case_id, actor,
      speaker, cause, type, target, ends, event_at, recorded_at)
    select ${size}::bigint + n - 1, event_id,
      substr(case when event_id is null then bytes else texts end, from_byte, bytes_long),
      substr(bytes, (n - 1)::integer * ${HASH_BYTES}::integer + 1, ${HASH_BYTES}::integer),
      acq, acq_seq, tenant, case_id, actor, speaker, cause, type, target, ends, event_at,
      recorded_at
    from packed, unnest(${arrayText(from)}::integer[], ${arrayText(length)}::integer[],
      ${column('eventId')}::uuid[], ${column('acq')}::uuid[], ${column('acqSeq')}::integer[],
      ${column('tenant')}::text[], ${column('caseId')}::text[], ${column('actor')}::text[],
      ${column('speaker')}::text[], ${column('cause')}::uuid[], ${column('type')}::text[],
      ${column('target')}::text[], ${column('ends')}::boolean[],
      ${column('eventAt')}::timestamptz[], ${column('recordedAt')}::timestamptz[])
    with ordinality as t (from_byte, bytes_long, event_id, acq, acq_seq, tenant, case_id, actor,
      speaker, cause, type, target, ends, event_at, recorded_at, n)`;
}

/**
 * All texts in one, and all bytes in one, first the hashes: a parameter is much cheaper than a list
 * of them. `from` and `length` say where each row's entry is, in bytes; SQL counts from 1.
 */
function packed(rows: readonly Row[]) {
  const bytes = rows.map(({ leaf }) => leaf);
  const from: number[] = [];
  const length: number[] = [];
  let texts = '';
  let textEnd = 1;
  let bytesEnd = rows.length * HASH_BYTES + 1;
  for (const { entry } of rows) {
    const isText = typeof entry === 'string';
    const long = isText ? Buffer.byteLength(entry) : entry.length;
    from.push(isText ? textEnd : bytesEnd);
    length.push(long);
    if (isText) {
      texts += entry;
      textEnd += long;
    } else {
      bytes.push(entry);
      bytesEnd += long;
    }
  }
  return { texts, bytes: Buffer.concat(bytes), from, length };
}

function insertTiles(sql: Database, tiles: readonly FullTile[]) {
  const column = (key: keyof FullTile) => arrayText(tiles.map((tile) => tile[key]));
  return sql`
    insert into ledger_tile (level, n, hashes, root)
    select * from unnest(${column('level')}::smallint[], ${column('n')}::bigint[],
      ${column('hashes')}::bytea[], ${column('root')}::bytea[])`;
}

function insertKeys(sql: Database, keys: readonly KeySaid[]) {
  const column = (key: keyof KeySaid) => arrayText(keys.map((one) => one[key]));
  return sql`
    insert into ledger_key (idx, role, public_key, change)
    select idx, role, decode(public_key, 'base64'), change
    from unnest(${column('idx')}::bigint[], ${column('role')}::text[],
      ${column('publicKey')}::text[], ${column('change')}::text[])
      as t (idx, role, public_key, change)`;
}
