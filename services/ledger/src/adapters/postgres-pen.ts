// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { canonical } from '@impound/contracts/canonical.ts';
import { Later } from '@impound/runtime/fault.ts';
import { type Database, openDatabase } from '@impound/runtime/postgres.ts';
import type { Secret } from '@impound/runtime/secret.ts';
import { wait } from '@impound/runtime/wait.ts';
import { grow, rootOf, type Tree } from '@impound/transparency/tree.ts';
import { appending } from '../db/append.ts';
import { arrayText } from '../db/array-text.ts';
import { asked, checkGuards } from '../db/guards.ts';
import { readHeads } from '../db/heads.ts';
import { readOwn } from '../db/own.ts';
import { keyRowsOf, rowsOf } from '../db/rows.ts';
import { readTree, type Standing } from '../db/tree.ts';
import type { First } from '../domain/batch.ts';
import { entryIn } from '../domain/telling.ts';
import { type Drawn, type Pen, type PenHolder, Taken } from '../handlers/ports.ts';

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
      const options = {
        ...{ connectionsMax: 1, name: worker, statementMsMax: STATEMENT_MS_MAX },
        lost: () => lost.abort(),
      };
      const sql = openDatabase(url, options, scope);
      await checkGuards(sql);
      await asked(() => prepare(sql));
      for (let told = false; !(await asked(() => tryLock(sql))); told = true) {
        if (!told) waiting();
        await wait(STANDBY_MS, AbortSignal.any([signal, lost.signal]));
        signal.throwIfAborted();
        if (lost.signal.aborted) throw new Later('database-away', STANDBY_MS, 'the session ended');
      }
      const standing = await asked(() => readTree(sql));
      return pen(sql, { standing, lost: lost.signal, scope: scope.move() });
    },
  };
}

/** Every question of a writer is a few index probes: plans made while a log is short stay right. */
const PROBES_ONLY = ['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin'];

async function prepare(sql: Database): Promise<void> {
  const settings = {
    // A pooler may have kept it to itself.
    statement_timeout: STATEMENT_MS_MAX,
    idle_session_timeout: STILL_MS_MAX,
    tcp_keepalives_idle: VANISHED_SECONDS,
    tcp_keepalives_interval: 2,
    tcp_keepalives_count: 3,
    // To plan a commit anew takes as long as half of it.
    plan_cache_mode: 'force_generic_plan',
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

function pen(
  sql: Database,
  held: { standing: Standing; lost: AbortSignal; scope: AsyncDisposableStack },
): Pen {
  let { tree } = held.standing;
  const grownBy = new WeakMap<Drawn, Tree>();
  const writerEpoch = held.standing.writerEpoch + 1;
  const alive = setInterval(() => void sql`select 1`.catch(() => undefined), ALIVE_MS);
  held.scope.defer(() => clearInterval(alive));
  return {
    standing: () => ({ size: tree.size, root: rootOf(tree) }),
    own: () => asked(() => readOwn(sql)),
    lastAt: () => asked(() => readLastAt(sql)),
    lost: held.lost,
    known: async (ids, acqs) => {
      const [firsts, heads] = await Promise.all([readFirsts(sql, ids), readHeads(sql, acqs)]);
      return { firsts, heads };
    },
    draw: (added, after) => {
      const onto = after === undefined ? tree : grownBy.get(after);
      assert.ok(onto !== undefined, "what was drawn before is another pen's");
      const wanted = added.drafts[0]?.seq;
      assert.equal(wanted, onto.size, 'the log is not as long as whoever writes believes');
      const rows = rowsOf(added);
      const grown = grow(
        onto,
        rows.map(({ leaf }) => leaf),
      );
      const { asNew } = added;
      const adding = {
        size: onto.size,
        rows,
        keys: keyRowsOf(added),
        ...grown,
        writerEpoch,
        asNew,
      };
      const statement = appending(sql, adding);
      const drawn = {
        size: grown.tree.size,
        commit: async () => {
          assert.equal(onto, tree, 'what was drawn before is not committed');
          if ((await statement).count === 0) throw new Taken('the log holds it already');
          tree = grown.tree;
        },
      };
      grownBy.set(drawn, grown.tree);
      return drawn;
    },
    [Symbol.asyncDispose]: () => held.scope.disposeAsync(),
  };
}

/** A leaf that is no entry has no time. */
async function readLastAt(sql: Database): Promise<string | undefined> {
  const [row] = await sql`
    select to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at
    from ledger_entry where recorded_at is not null order by idx desc limit 1`;
  return row?.['at'] as string | undefined;
}

async function readFirsts(
  sql: Database,
  ids: readonly string[],
): Promise<Map<string, First | null>> {
  const found = new Map<string, First | null>(ids.map((id) => [id, null]));
  if (ids.length === 0) return found;
  const rows = await sql`
    select event_id, idx, acq_seq, encode(leaf, 'hex') as leaf, entry
    from ledger_entry where event_id = any(${arrayText(ids)}::uuid[])`;
  for (const row of rows) {
    const { event, recordedAt } = entryIn((row['entry'] as Buffer).toString('utf8'));
    found.set(String(row['event_id']), {
      seq: Number(row['idx']),
      version: Number(row['acq_seq']),
      hash: String(row['leaf']),
      recordedAt,
      event,
      text: canonical(event),
    });
  }
  return found;
}
