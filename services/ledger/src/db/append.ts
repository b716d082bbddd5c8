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
  /** True: nobody has looked whether the log holds any of it. */
  readonly asNew?: boolean | undefined;
}

/**
 * One statement, so one transaction: entries, tiles, and the batch that makes them the log. It is
 * run where it is awaited. A count of 0: nothing was added, for the log holds one of the ids, or a
 * chain that was to begin. Left to the keys of the table that is an error in the server's log.
 */
export function appending(
  sql: Database,
  adding: Addition,
): PromiseLike<{ readonly count: number }> {
  const { size, rows, tree, tiles, keys, writerEpoch, asNew } = adding;
  const { texts, bytes, from, length } = packed(rows);
  const column = (key: keyof Row) => arrayText(rows.map((row) => row[key] as Item));
  const unlessHeld = asNew ? sql`where not exists (select from held)` : sql``;
  return sql`
    with packed as materialized (
      select convert_to(${texts}, 'UTF8') as texts, ${bytes}::bytea as bytes
    )${asNew ? sql`, held as materialized (${selectHeld(sql, rows)})` : sql``}, batch as (
      insert into ledger_batch (size_before, size_after, root, edge, writer_epoch)
      select ${size}::bigint, ${tree.size}::bigint, ${rootOf(tree)}::bytea,
        ${edgeBytes(tree)}::bytea, ${writerEpoch}::bigint ${unlessHeld}
    )${tiles.length === 0 ? sql`` : sql`, tile as (${insertTiles(sql, tiles)} ${unlessHeld})`}
    ${keys.length === 0 ? sql`` : sql`, key as (${insertKeys(sql, keys)} ${unlessHeld})`}
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
      speaker, cause, type, target, ends, event_at, recorded_at, n)
    ${unlessHeld}`;
}

/** Entries of the log under the same ids, and of chains that begin here. */
function selectHeld(sql: Database, rows: readonly Row[]) {
  const ids = rows.flatMap(({ eventId }) => eventId ?? []);
  const begun = rows.flatMap(({ acq, acqSeq }) => (acqSeq === 1 ? (acq ?? []) : []));
  return sql`
    select from ledger_entry where event_id = any(${arrayText(ids)}::uuid[])
    union all
    select from ledger_entry where acq_seq = 1 and acq = any(${arrayText(begun)}::uuid[])`;
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
