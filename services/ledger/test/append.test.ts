// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { newId } from '@impound/runtime/ids.ts';
import { type Database, openDatabase } from '@impound/runtime/postgres.ts';
import { Secret } from '@impound/runtime/secret.ts';
import { testDatabase } from '@impound/runtime/testing/database.ts';
import { leafHash } from '@impound/transparency/hash.ts';
import { EMPTY_TREE, grow } from '@impound/transparency/tree.ts';
import { appending } from '../src/db/append.ts';
import { migrate } from '../src/db/migrate.ts';
import type { Row } from '../src/db/rows.ts';

/** What could end a quotation, an array or a statement, or be taken for nothing. */
const HOSTILE = [
  '',
  'NULL',
  '"',
  '\\',
  '\\"},{"',
  '{a,b}',
  "'; drop table ledger_entry; --",
  'one\ntwo\ttab\r',
  'Zoë 🧊 \u{202e}\u{2028}',
  '\\x00',
  '$1',
];

function row(word: string): Row {
  const entry = JSON.stringify({ word, long: word.repeat(50) });
  const texts = { tenant: word, caseId: word, actor: word, speaker: word, type: word };
  const ids = { eventId: newId(), acq: newId(), cause: word === '' ? null : newId() };
  const times = {
    eventAt: '1970-01-01T00:00:00.000001Z',
    recordedAt: '2026-11-23T09:15:00.123456Z',
  };
  const rest = { acqSeq: 1, target: word === '"' ? null : word, ends: word === '' };
  return { entry, leaf: leafHash(Buffer.from(entry)), ...texts, ...ids, ...times, ...rest } as Row;
}

/** A leaf that is no entry: no text in any encoding. */
function leaf(byte: number): Row {
  const entry = Buffer.alloc(128, byte);
  const nothing = Object.fromEntries(Object.keys(row('')).map((key) => [key, null]));
  return { ...nothing, entry, leaf: leafHash(entry) } as unknown as Row;
}

async function writerOf(t: TestContext): Promise<Database> {
  const scope = new AsyncDisposableStack();
  t.after(() => scope.disposeAsync());
  const { server, name } = await testDatabase(t);
  await migrate(server.url(name), { writerPassword: server.password('ledger_writer') });
  const writer = new Secret(server.url(name, 'ledger_writer'));
  return openDatabase(writer, { connectionsMax: 1, name: 'append' }, scope);
}

test('what nobody has looked for is added once, and of a batch that holds it nothing else either', async (t) => {
  const sql = await writerOf(t);
  const [first, second, third] = [row('1'), row('2'), row('3')];
  const publicKey = Buffer.alloc(32, 1).toString('base64');
  let tree = EMPTY_TREE;
  const add = async (rows: readonly Row[]) => {
    const { size } = tree;
    const leaves = rows.map((one) => one.leaf);
    const grown = grow(tree, leaves);
    const key = { idx: size, role: 'checkpoint', publicKey, change: 'registered' } as const;
    const adding = { size, rows, keys: [key], ...grown, writerEpoch: 1, asNew: true };
    const { count } = await appending(sql, adding);
    if (count > 0) ({ tree } = grown);
    return count;
  };
  assert.equal(await add([first]), 1);
  assert.equal(await add([second, first]), 0);
  assert.equal(await add([second, { ...third, acq: first.acq }]), 0);
  const [held] = await sql`
    select (select count(*) from ledger_entry)::int as entries,
      (select count(*) from ledger_key)::int as keys,
      (select max(size_after) from ledger_batch)::int as size`;
  assert.deepEqual({ ...held }, { entries: 1, keys: 1, size: 1 });
  assert.equal(await add([second, third]), 2);
});

test('what a batch holds is read back as it was, whatever stands in its texts', async (t) => {
  const sql = await writerOf(t);
  const rows = HOSTILE.flatMap((word, n) =>
    n % 3 === 0 ? [row(word), leaf(255 - n)] : [row(word)],
  );
  const leaves = rows.map((one) => one.leaf);
  await appending(sql, { size: 0, rows, keys: [], ...grow(EMPTY_TREE, leaves), writerEpoch: 1 });
  const read = await sql`
    select entry, leaf, tenant, case_id as "caseId", actor, speaker, type, event_id as "eventId",
      acq, cause, acq_seq as "acqSeq", target, ends, idx,
      to_char(event_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "eventAt",
      to_char(recorded_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "recordedAt"
    from ledger_entry order by idx`;
  assert.deepEqual(
    read.map((one) => ({ ...one })),
    rows.map((one, at) => ({ ...one, entry: Buffer.from(one.entry), idx: String(at) })),
  );
});
