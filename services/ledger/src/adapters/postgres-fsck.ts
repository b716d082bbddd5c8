// SPDX-License-Identifier: Apache-2.0
import type { Database, Transaction } from '@impound/runtime/postgres.ts';
import type { Before, Columns } from '../domain/recheck.ts';
import type {
  KeptAnchor,
  KeptCosignature,
  KeptKey,
  KeptLeaf,
  KeptLog,
} from '../handlers/fsck-ports.ts';

const LEAVES_MAX = 256;
const ROWS_MAX = 64;

/**
 * Hands over the log as the database keeps it at this moment, whatever is added meanwhile. Any role
 * that may read the tables will do: ledger_verifier.
 */
export async function inSnapshot<T>(sql: Database, work: (log: KeptLog) => Promise<T>): Promise<T> {
  const done = await sql.begin('isolation level repeatable read read only', async (asking) => {
    return { result: await work(await keptLog(asking)) };
  });
  return done.result as T;
}

async function keptLog(sql: Transaction): Promise<KeptLog> {
  const [row] = await sql`
    select (select max(size_after) from ledger_batch) as size,
      (select coalesce(max(idx), -1) + 1 from ledger_entry) as leaves,
      (select count(*) from ledger_entry) as rows`;
  return {
    size: Number(row?.['size'] ?? 0),
    leaves: Number(row?.['leaves']),
    entries: () => ahead((after) => leavesAfter(sql, after)),
    tiles: (level) => ahead((after) => tilesAfter(sql, level, after)),
    batches: () => ahead((after) => batchesAfter(sql, after)),
    checkpoints: () => ahead((after) => checkpointsAfter(sql, after)),
    beside: {
      rows: Number(row?.['rows']),
      keys: () => keysOf(sql),
      cosignatures: () => ahead((after) => cosignaturesAfter(sql, after)),
      anchors: () => ahead((after) => anchorsAfter(sql, after)),
    },
  };
}

interface Page<T> {
  readonly rows: readonly T[];
  /** Where the next page begins; undefined: there is none. */
  readonly last: number | undefined;
}

/** Page after page, the next one read while the one before is looked at. */
async function* ahead<T>(read: (after: number) => Promise<Page<T>>): AsyncGenerator<readonly T[]> {
  let coming: Promise<Page<T>> | undefined = read(-1);
  while (coming !== undefined) {
    const { rows, last }: Page<T> = await coming;
    coming = last === undefined ? undefined : read(last);
    coming?.catch(() => undefined);
    yield rows;
  }
}

type Row = Readonly<Record<string, unknown>>;

function page<T>(rows: readonly Row[], key: string, read: (row: Row) => T): Page<T> {
  const last = rows.at(-1)?.[key];
  return { rows: rows.map(read), last: last === undefined ? undefined : Number(last) };
}

/** What comes before an entry in its chain is found by the index, which is checked on the way. */
async function leavesAfter(sql: Transaction, after: number): Promise<Page<KeptLeaf>> {
  const rows = await sql`
    select e.*, p.idx as p_idx, encode(p.leaf, 'hex') as p_leaf, p.acq_seq as p_acq_seq,
      p.tenant as p_tenant, p.case_id as p_case_id,
      to_char(e.event_at at time zone 'UTC', ${TIME}) as event_text,
      to_char(e.recorded_at at time zone 'UTC', ${TIME}) as recorded_text
    from ledger_entry e
    left join ledger_entry p on p.acq = e.acq and p.acq_seq = e.acq_seq - 1
    where e.idx > ${after} order by e.idx limit ${LEAVES_MAX}`;
  return page(rows, 'idx', (row) => ({
    idx: Number(row['idx']),
    entry: row['entry'] as Buffer,
    kept: { leaf: row['leaf'] as Buffer, columns: columns(row), before: before(row) },
  }));
}

const TIME = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"';

function columns(row: Row): Columns | undefined {
  if (row['event_id'] === null) return undefined;
  const text = (key: string) => row[key] as string;
  return {
    eventId: text('event_id'),
    acq: text('acq'),
    acqSeq: Number(row['acq_seq']),
    tenant: text('tenant'),
    caseId: text('case_id'),
    actor: text('actor'),
    speaker: text('speaker'),
    cause: row['cause'] as string | null,
    type: text('type'),
    target: row['target'] as string | null,
    ends: row['ends'] === true,
    eventAt: text('event_text'),
    recordedAt: text('recorded_text'),
  };
}

function before(row: Row): Before | undefined {
  if (row['p_idx'] === null) return undefined;
  return {
    idx: Number(row['p_idx']),
    leaf: String(row['p_leaf']),
    acqSeq: Number(row['p_acq_seq']),
    tenant: String(row['p_tenant']),
    caseId: String(row['p_case_id']),
  };
}

async function tilesAfter(sql: Transaction, level: number, after: number) {
  const rows = await sql`
    select n, hashes, root from ledger_tile
    where level = ${level} and n > ${after} order by n limit ${ROWS_MAX}`;
  return page(rows, 'n', (row) => ({
    n: Number(row['n']),
    hashes: row['hashes'] as Buffer,
    root: row['root'] as Buffer,
  }));
}

async function batchesAfter(sql: Transaction, after: number) {
  const rows = await sql`
    select size_after, size_before, root, edge from ledger_batch
    where size_after > ${after} order by size_after limit ${ROWS_MAX}`;
  return page(rows, 'size_after', (row) => ({
    sizeAfter: Number(row['size_after']),
    sizeBefore: row['size_before'] === null ? undefined : Number(row['size_before']),
    root: row['root'] as Buffer,
    edge: row['edge'] as Buffer,
  }));
}

/** Both heads of a size come in one page. */
async function checkpointsAfter(sql: Transaction, after: number) {
  const rows = await sql`
    select size, head, note from ledger_checkpoint
    where size in (select distinct size from ledger_checkpoint
      where size > ${after} order by size limit ${ROWS_MAX})
    order by size, head`;
  return page(rows, 'size', (row) => ({
    size: Number(row['size']),
    head: String(row['head']),
    note: String(row['note']),
  }));
}

async function keysOf(sql: Transaction): Promise<KeptKey[]> {
  const rows = await sql`
    select idx, role, change, encode(public_key, 'base64') as public_key from ledger_key
    order by idx, role, change limit ${KEYS_MAX}`;
  return rows.map((row) => ({
    idx: Number(row['idx']),
    role: row['role'] as KeptKey['role'],
    change: row['change'] as KeptKey['change'],
    publicKey: String(row['public_key']),
  }));
}

const KEYS_MAX = 100_000;

/** All of a size come in one page. */
async function cosignaturesAfter(sql: Transaction, after: number): Promise<Page<KeptCosignature>> {
  const rows = await sql`
    select size, head, witness, line, extract(epoch from cosigned_at) * 1000 as at_ms
    from ledger_cosignature
    where size in (select distinct size from ledger_cosignature
      where size > ${after} order by size limit ${ROWS_MAX})
    order by size, head, witness`;
  return page(rows, 'size', (row) => ({
    size: Number(row['size']),
    head: String(row['head']),
    witness: String(row['witness']),
    line: String(row['line']),
    atMs: Math.round(Number(row['at_ms'])),
  }));
}

async function anchorsAfter(sql: Transaction, after: number): Promise<Page<KeptAnchor>> {
  const rows = await sql`
    select size, head, authority, note, token from ledger_anchor
    where size in (select distinct size from ledger_anchor
      where size > ${after} order by size limit ${ROWS_MAX})
    order by size, head, kind, authority`;
  return page(rows, 'size', (row) => ({
    size: Number(row['size']),
    head: String(row['head']),
    authority: String(row['authority']),
    note: String(row['note']),
    token: row['token'] as Buffer,
  }));
}
