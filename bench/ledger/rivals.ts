// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { finished } from 'node:stream/promises';
import { arrayText, type Item } from '@impound/ledger/db/array-text.ts';
import type { Row as Written } from '@impound/ledger/db/rows.ts';
import { type Database, openDatabase } from '@impound/runtime/postgres.ts';
import { Secret } from '@impound/runtime/secret.ts';

const CHAINERS = 8;
const COPY_ROWS = 2_048;

/** A row of the ledger with its bytes, ready to be sent. */
export type Row = Written & { readonly entry: Buffer };

/** What ledgers are held against, on the same database. Each takes rows that are ready. */
export interface Rivals {
  /** The usual chain: eight connections, an advisory lock, the hash of the row before. */
  chain(rows: readonly Row[]): Promise<void>;
  /** Binary COPY of the same rows into the same indexes, 2,048 a transaction. */
  copy(rows: readonly Row[]): Promise<void>;
  /** INSERT of 512 rows a transaction into the same indexes. */
  insert(rows: readonly Row[]): Promise<void>;
}

/** Makes the tables of the rivals; `url` is a superuser's. */
export async function openRivals(url: string, scope: AsyncDisposableStack): Promise<Rivals> {
  const sql = openDatabase(new Secret(url), { connectionsMax: CHAINERS, name: 'rivals' }, scope);
  for (const name of ['rival_copy', 'rival_insert']) {
    await sql.unsafe(
      `create table ${name} (like ledger_entry including indexes including storage)`,
    );
  }
  await sql`create table rival_chain (id bigint generated always as identity primary key,
    event_id uuid unique not null, body jsonb not null, previous bytea not null,
    hash bytea not null)`;
  let copied = 0;
  let inserted = 0;
  return {
    chain: async (rows) => {
      const left = [...rows].reverse();
      const connection = async () => {
        for (let row = left.pop(); row !== undefined; row = left.pop()) await link(sql, row);
      };
      await Promise.all(Array.from({ length: CHAINERS }, connection));
    },
    copy: async (rows) => {
      for (let at = 0; at < rows.length; at += COPY_ROWS) {
        const part = rows.slice(at, at + COPY_ROWS);
        const into = await sql`copy rival_copy from stdin (format binary)`.writable();
        into.end(copyBytes(part, copied));
        await finished(into);
        copied += part.length;
      }
    },
    insert: async (rows) => {
      for (let at = 0; at < rows.length; at += INSERT_ROWS) {
        const part = rows.slice(at, at + INSERT_ROWS);
        await insertRows(sql, part, inserted);
        inserted += part.length;
      }
    },
  };
}

const INSERT_ROWS = 512;
const CHAIN_LOCK = 4_711;

async function link(sql: Database, { eventId, entry }: Row): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(${CHAIN_LOCK})`;
    const [last] = await tx`select hash from rival_chain order by id desc limit 1`;
    const previous = (last?.['hash'] as Buffer | undefined) ?? Buffer.alloc(32);
    const own = hash('sha256', Buffer.concat([previous, entry]), 'buffer');
    await tx`insert into rival_chain (event_id, body, previous, hash)
      values (${eventId}, ${entry.toString('utf8')}::text::jsonb, ${previous}, ${own})`;
  });
}

const COLUMNS = [
  ['eventId', 'uuid'],
  ['entry', 'bytea'],
  ['leaf', 'bytea'],
  ['acq', 'uuid'],
  ['acqSeq', 'int'],
  ['tenant', 'text'],
  ['caseId', 'text'],
  ['actor', 'text'],
  ['speaker', 'text'],
  ['cause', 'uuid'],
  ['type', 'text'],
  ['target', 'text'],
  ['ends', 'boolean'],
  ['eventAt', 'time'],
  ['recordedAt', 'time'],
] as const satisfies readonly (readonly [keyof Row, string])[];

const ENCODE: Readonly<Record<string, (value: never) => Buffer>> = {
  bytea: (value: Buffer) => value,
  text: (value: string) => Buffer.from(value),
  uuid: (value: string) => Buffer.from(value.replaceAll('-', ''), 'hex'),
  boolean: (value: boolean) => Buffer.of(value ? 1 : 0),
  int: (value: number) => {
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeInt32BE(value);
    return bytes;
  },
  bigint: (value: number) => {
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeBigInt64BE(BigInt(value));
    return bytes;
  },
  // Microseconds since 2000 (src/include/datatype/timestamp.h).
  time: (value: string) => {
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeBigInt64BE(BigInt(Date.parse(value) - Date.UTC(2000, 0, 1)) * 1_000n);
    return bytes;
  },
};

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const END = Buffer.of(0xff, 0xff);
const NULL = Buffer.of(0xff, 0xff, 0xff, 0xff);

/** Rows in the form that COPY reads (https://www.postgresql.org/docs/current/sql-copy.html). */
function copyBytes(rows: readonly Row[], from: number): Buffer {
  const parts: Buffer[] = [SIGNATURE];
  const count = Buffer.allocUnsafe(2);
  count.writeInt16BE(COLUMNS.length + 1);
  for (const [at, row] of rows.entries()) {
    parts.push(count, ...field(from + at, 'bigint'));
    for (const [name, type] of COLUMNS) parts.push(...field(row[name], type));
  }
  parts.push(END);
  return Buffer.concat(parts);
}

function field(value: unknown, type: string): Buffer[] {
  if (value === null) return [NULL];
  const bytes = ENCODE[type]?.(value as never) ?? Buffer.alloc(0);
  const length = Buffer.allocUnsafe(4);
  length.writeInt32BE(bytes.length);
  return [length, bytes];
}

const ARRAYS = {
  ...{ uuid: 'uuid[]', bytea: 'bytea[]', int: 'integer[]', text: 'text[]' },
  ...{ boolean: 'boolean[]', time: 'text[]' },
};

async function insertRows(sql: Database, rows: readonly Row[], from: number): Promise<void> {
  const column = ([name]: (typeof COLUMNS)[number]) =>
    arrayText(rows.map((row) => row[name]) as Item[]);
  const places = COLUMNS.map(([, type], at) => `$${at + 2}::${ARRAYS[type]}`).join(', ');
  await sql.unsafe(
    `insert into rival_insert (idx, event_id, entry, leaf, acq, acq_seq, tenant, case_id, actor,
      speaker, cause, type, target, ends, event_at, recorded_at)
    select $1::bigint + o - 1, e, n, l, a, q, t, c, w, s, u, y, g, d, m::timestamptz,
      r::timestamptz
    from unnest(${places}) with ordinality
      as rows (e, n, l, a, q, t, c, w, s, u, y, g, d, m, r, o)`,
    [from, ...COLUMNS.map(column)] as never[],
    { prepare: true },
  );
}
