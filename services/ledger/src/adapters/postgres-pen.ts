// SPDX-License-Identifier: Apache-2.0
import { canonical } from '@impound/contracts/canonical.ts';
import { Later } from '@impound/runtime/fault.ts';
import { type Database, openDatabase } from '@impound/runtime/postgres.ts';
import type { Secret } from '@impound/runtime/secret.ts';
import { wait } from '@impound/runtime/wait.ts';
import { asked, checkGuards } from '../db/guards.ts';
import { readHeads } from '../db/heads.ts';
import type { Draft, First } from '../domain/batch.ts';
import { projectionOf } from '../domain/projection.ts';
import { eventIn } from '../domain/telling.ts';
import type { Pen, PenHolder } from '../handlers/ports.ts';

/** The lock that the one sequencer of a database holds: 'ledg' in ASCII, and 1. */
const PEN_LOCK = [0x6c656467, 1] as const;
const STANDBY_MS = 250;
/** A statement that the server has not finished by then is ended by it. */
const STATEMENT_MS_MAX = 15_000;
/** A holder that vanished without a word loses its session, and so the pen, after about this. */
const VANISHED_SECONDS = 10;
/**
 * So does one that stands still: its kernel answers for it, and its session would last for ever.
 * One that works asks for nothing more often than that.
 */
const STILL_MS_MAX = 10_000;
const ALIVE_MS = 2_500;

/** The pen is an advisory lock of one session; what makes a fork impossible is ledger_batch. */
export function postgresPen(url: Secret, worker: string): PenHolder {
  return {
    take: async (waiting, signal) => {
      await using scope = new AsyncDisposableStack();
      const lost = new AbortController();
      const options = { connectionsMax: 1, name: worker, lost: () => lost.abort() };
      const sql = openDatabase(url, options, scope);
      await checkGuards(sql);
      await asked(() => prepare(sql));
      for (let told = false; !(await asked(() => tryLock(sql))); told = true) {
        if (!told) waiting();
        await wait(STANDBY_MS, AbortSignal.any([signal, lost.signal]));
        signal.throwIfAborted();
        if (lost.signal.aborted) throw new Later('database-away', STANDBY_MS, 'the session ended');
      }
      const size = await asked(() => readSize(sql));
      return pen(sql, { size, lost: lost.signal, scope: scope.move() });
    },
  };
}

/** Every question of a writer is a few index probes: plans made while a log is short stay right. */
const PROBES_ONLY = ['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin'];

async function prepare(sql: Database): Promise<void> {
  const settings = {
    statement_timeout: STATEMENT_MS_MAX,
    idle_session_timeout: STILL_MS_MAX,
    tcp_keepalives_idle: VANISHED_SECONDS,
    tcp_keepalives_interval: 2,
    tcp_keepalives_count: 3,
    ...Object.fromEntries(PROBES_ONLY.map((name) => [name, 'off'])),
  };
  for (const [name, value] of Object.entries(settings)) {
    await sql`select set_config(${name}, ${String(value)}, false)`;
  }
}

async function tryLock(sql: Database): Promise<boolean> {
  const [row] = await sql`select pg_try_advisory_lock(${PEN_LOCK[0]}, ${PEN_LOCK[1]}) as held`;
  return row?.['held'] === true;
}

async function readSize(sql: Database): Promise<number> {
  const [row] = await sql`
    select (select max(size_after) from ledger_batch) as size,
      (select coalesce(max(idx), -1) + 1 from ledger_entry) as entries`;
  const size = Number(row?.['size']);
  if (size !== Number(row?.['entries'])) {
    throw Object.assign(new Error(`batches end at ${size}, entries at ${row?.['entries']}`), {
      severity: 'ERROR',
    });
  }
  return size;
}

function pen(
  sql: Database,
  held: { size: number; lost: AbortSignal; scope: AsyncDisposableStack },
): Pen {
  const alive = setInterval(() => void sql`select 1`.catch(() => undefined), ALIVE_MS);
  held.scope.defer(() => clearInterval(alive));
  return {
    size: held.size,
    lost: held.lost,
    known: async (ids, acqs) => {
      const [firsts, heads] = await Promise.all([readFirsts(sql, ids), readHeads(sql, acqs)]);
      return { firsts, heads };
    },
    append: (size, drafts) => insert(sql, size, drafts),
    [Symbol.asyncDispose]: () => held.scope.disposeAsync(),
  };
}

async function readFirsts(
  sql: Database,
  ids: readonly string[],
): Promise<Map<string, First | null>> {
  const found = new Map<string, First | null>(ids.map((id) => [id, null]));
  if (ids.length === 0) return found;
  const rows = await sql`
    select event_id, idx, acq_seq, encode(leaf, 'hex') as leaf, entry
    from ledger_entry where event_id = any(${sql.array([...ids], UUIDS)})`;
  for (const row of rows) {
    const event = eventIn((row['entry'] as Buffer).toString('utf8'));
    found.set(String(row['event_id']), {
      seq: Number(row['idx']),
      version: Number(row['acq_seq']),
      hash: String(row['leaf']),
      event,
      text: canonical(event),
    });
  }
  return found;
}

/** OIDs of array types (src/include/catalog/pg_type.dat): plain lists lack what a bytea needs. */
const UUIDS = 2951;
const BYTEAS = 1001;
const TEXTS = 1009;
const INTEGERS = 1007;
const BOOLEANS = 1000;

/** One statement, so one transaction: the entries and the batch that makes them part of the log. */
async function insert(sql: Database, size: number, drafts: readonly Draft[]): Promise<void> {
  const rows = drafts.map(rowOf);
  const column = <K extends keyof Row>(key: K, type: number) =>
    sql.array(rows.map((row) => row[key]) as never[], type);
  await sql`
    with batch as (
      insert into ledger_batch (size_before, size_after) values (${size}, ${size + rows.length})
    )
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

type Row = ReturnType<typeof rowOf>;

function rowOf(draft: Draft) {
  const { event } = draft;
  return {
    eventId: event.id,
    entry: Buffer.from(draft.entry, 'utf8'),
    leaf: Buffer.from(draft.hash, 'hex'),
    acq: event.subject,
    acqSeq: draft.version,
    tenant: event.tenant,
    caseId: draft.caseId,
    ...projectionOf(event),
    cause: event.causationid ?? null,
    type: event.type,
    eventAt: event.time,
    recordedAt: draft.recordedAt,
  };
}
