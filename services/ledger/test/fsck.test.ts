// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { ExecutionStartedV1 } from '@impound/contracts/execution/started.v1.ts';
import { newId } from '@impound/runtime/ids.ts';
import { formatCheckpoint, parseCheckpoint } from '@impound/transparency/checkpoint.ts';
import { leafHash } from '@impound/transparency/hash.ts';
import { headSigners, newLogKeys, readLogKeys } from '@impound/transparency/log-keys.ts';
import { type NoteSigner, signNote } from '@impound/transparency/note.ts';
import { EMPTY_TREE, edgeBytes, grow, rootOf } from '@impound/transparency/tree.ts';
import { inSnapshot } from '../src/adapters/postgres-fsck.ts';
import { fsck } from '../src/handlers/fsck.ts';
import type { FsckReport } from '../src/handlers/fsck-ports.ts';
import { look, NOTHING, tampered } from './tampered.ts';
import { requested, started, type World, world } from './world.ts';

const LEAVES = 600;
const ORIGIN = 'ledger.example.org/custody/1';

/** A ledger that has recorded 298 acquisitions of two entries and some of one. */
async function recorded(t: TestContext): Promise<World> {
  const it = await world(t);
  const running = await it.start();
  for (let left = LEAVES / 2; left > 0; left -= 150) {
    await Promise.all(
      Array.from({ length: 150 }, async () => {
        const acq = newId();
        assert.ok((await it.say(AcquisitionRequestedV1, acq, requested)).ok);
        // Nobody was assigned: it is recorded as what it is, beside the chain's course.
        await it.say(ExecutionStartedV1, acq, started);
      }),
    );
  }
  await running[Symbol.asyncDispose]();
  return it;
}

const first = ({ findings }: FsckReport) => {
  const [one] = findings;
  return one && { class: one.class, idx: one.idx, what: one.what };
};

const TAMPERINGS: readonly (readonly [string, string, string, number, RegExp])[] = [
  [
    'one byte of an entry is changed',
    `update ledger_entry set entry = overlay(entry placing '9' from octet_length(entry) - 3)
      where idx = 300`,
    'entry',
    300,
    /its bytes hash to [0-9a-f]{64}, its row holds [0-9a-f]{64}/,
  ],
  [
    'an entry is changed together with its leaf',
    `update ledger_entry
      set entry = replace(convert_from(entry, 'UTF8'), '"reason":"', '"reason":"not ')::bytea
      where idx = (select min(idx) from ledger_entry where acq_seq = 1 and idx > 300);
    update ledger_entry set leaf = sha256('\\x00'::bytea || entry)`,
    'tree',
    -1,
    /tile\/0\/001 holds another hash than leaf \d+, whose bytes give [0-9a-f]{64}/,
  ],
  [
    'a row in the middle is gone',
    'delete from ledger_entry where idx = 411',
    'entry',
    411,
    /leaf 411 is missing/,
  ],
  [
    'two rows have changed places',
    `update ledger_entry set idx = idx + 1000000 where idx in (20, 21);
    update ledger_entry set idx = 1000041 - idx where idx >= 1000000`,
    'tree',
    20,
    /tile\/0\/000 holds another hash than leaf 20/,
  ],
  [
    'the last entry is gone',
    `delete from ledger_entry where idx = (select max(idx) from ledger_entry)`,
    'entry',
    -1,
    /is said to have \d+ leaves, and \d+ are kept/,
  ],
  [
    "an actor's name is changed in the index",
    `update ledger_entry set actor = 'nobody' where idx = 7`,
    'index',
    7,
    /column actor holds "nobody", its bytes say/,
  ],
  [
    'a time is changed in the index by a microsecond',
    `update ledger_entry set event_at = event_at + interval '1 microsecond' where idx = 8`,
    'index',
    8,
    /column eventAt holds/,
  ],
  [
    'a case is changed in the index',
    `update ledger_entry set case_id = 'other' where idx = 9`,
    'index',
    9,
    /column caseId holds "other"/,
  ],
  [
    'a tile holds another hash',
    `update ledger_tile set hashes = overlay(hashes placing sha256('x') from 1 + 32 * 17) where level = 0 and n = 1`,
    'tree',
    273,
    /tile\/0\/001 holds another hash than leaf 273/,
  ],
  [
    'a tile has another root',
    `update ledger_tile set root = sha256('x') where level = 0 and n = 0`,
    'tree',
    0,
    /tile\/0\/000 is kept with another root/,
  ],
  ['a tile is gone', 'delete from ledger_tile where n = 0', 'tree', 0, /tile\/0\/000 is missing/],
  [
    'an entry says to be recorded long before those that stand before it',
    `update ledger_entry set entry = convert_to(replace(convert_from(entry, 'UTF8'),
      '"recordedAt":"20', '"recordedAt":"19'), 'UTF8') where idx = 300;
    update ledger_entry set leaf = sha256('\\x00'::bytea || entry) where idx = 300`,
    'entry',
    300,
    /it says to be recorded at 19\S+, what stands before it at 20/,
  ],
  [
    'a tile is there that no tree has',
    `insert into ledger_tile select level, 77, hashes, root from ledger_tile where n = 0`,
    'tree',
    -1,
    /tile\/0\/077 is kept, and no tree/,
  ],
  [
    'a batch has another root',
    `update ledger_batch set root = sha256('x') where size_after = (select min(size_after) from ledger_batch where size_after > 300)`,
    'batch',
    -1,
    /the root over \d+ leaves is/,
  ],
  [
    'a batch is gone',
    `delete from ledger_batch where size_after = (select max(size_before) from ledger_batch)`,
    'batch',
    -1,
    /is the one before it/,
  ],
];

test('a log that nobody has touched fits, read as the role that may read and no more', async (t) => {
  const it = await recorded(t);
  const { sql: copy, verifier } = await tampered(t, it, '', true);
  const seen: number[] = [];
  const signal = new AbortController().signal;
  const report = await inSnapshot(verifier, (log) =>
    fsck(log, NOTHING, (leaves) => seen.push(leaves), signal),
  );
  assert.deepEqual(report.findings, []);
  assert.equal(report.entries, report.size);
  assert.ok(report.tiles >= 2 && report.batches > 3, JSON.stringify(report));
  assert.ok(seen.length > 1 && seen.at(-1) === report.size);
  const [row] =
    await copy`select encode(root, 'hex') as root from ledger_batch order by size_after desc limit 1`;
  assert.equal(report.root, row?.['root']);

  for (const [what, change, kind, idx, words] of TAMPERINGS) {
    await t.test(`where ${what}, the first place that does not fit is named`, async (t) => {
      const { sql } = await tampered(t, it, change);
      const report = await look(sql);
      const found = first(report);
      assert.deepEqual([found?.class], [kind], JSON.stringify(report.findings));
      assert.match(found?.what ?? '', words);
      if (idx >= 0) assert.equal(found?.idx, idx);
    });
  }

  await t.test(
    'a history that is rewritten whole fits itself, and not what others know',
    async (t) => {
      const { sql } = await tampered(t, it, '');
      const known = await checkpointOf(sql);
      await rewriteWhole(sql, 100);
      assert.deepEqual((await look(sql)).findings, []);
      const found = first(await look(sql, { keys: [], known: [known] }));
      assert.equal(found?.class, 'history');
      assert.match(found?.what ?? '', /as others know it: the log was rewritten/);
    },
  );

  await t.test(
    'an end that is cut off cleanly fits itself, and not what others know',
    async (t) => {
      const { sql } = await tampered(t, it, '');
      const known = await checkpointOf(sql);
      const [row] = await sql`select max(size_before) as size from ledger_batch`;
      const size = Number(row?.['size']);
      await sql`delete from ledger_checkpoint where size > ${size}`;
      await sql`delete from ledger_batch where size_after > ${size}`;
      await sql`delete from ledger_entry where idx >= ${size}`;
      await sql`delete from ledger_tile where (n + 1) * 256 > ${size}`;
      assert.deepEqual((await look(sql)).findings, []);
      const found = first(await look(sql, { keys: [], known: [known] }));
      assert.deepEqual(found?.class, 'history');
      assert.match(found?.what ?? '', /the end was cut off/);
    },
  );

  await t.test('checkpoints are held against the tree and against keys from outside', async (t) => {
    const known = await checkpointOf(copy);
    const size = Number(known.size);
    const heads = headSigners(readLogKeys(it.environment()['LOG_KEYS'] ?? ''));
    const stranger = headSigners(readLogKeys(newLogKeys(heads.own.vkey.name)));
    const { sql } = await tampered(t, it, 'delete from ledger_checkpoint');
    const noteBy = (signer: NoteSigner, root = known.root) =>
      signNote(formatCheckpoint({ origin: signer.vkey.name, size: known.size, root }), [signer]);
    const keep = async (note: string, head = 'own') => {
      await sql`delete from ledger_checkpoint where head = ${head}`;
      await sql`insert into ledger_checkpoint (size, head, note) values (${size}, ${head}, ${note})`;
    };
    await keep(await noteBy(heads.own));
    await keep(await noteBy(heads.sigsum), 'sigsum');
    const outside = { keys: [heads.own.vkey], known: [] };
    const good = await look(sql, outside);
    assert.deepEqual([good.findings, good.checkpoints, good.signed], [[], 2, 1]);
    const other = first(await look(sql, { keys: [stranger.own.vkey], known: [] }));
    assert.match(other?.what ?? '', /none of the known keys/);
    await keep(await noteBy(stranger.own));
    const found = first(await look(sql));
    assert.deepEqual([found?.class, found?.idx], ['checkpoint', size]);
    assert.match(found?.what ?? '', /none of the known keys/);
    await keep(await noteBy(heads.own, leafHash(Buffer.from('another log'))));
    const forked = first(await look(sql, outside));
    assert.deepEqual([forked?.class, forked?.idx], ['checkpoint', size]);
    assert.match(forked?.what ?? '', /the root over \d+ leaves is/);
  });
});

/** What an auditor would have kept. */
async function checkpointOf(sql: ReturnType<World['sql']>) {
  const [row] = await sql`
    select size_after, root from ledger_batch order by size_after desc limit 1`;
  const [size, root] = [BigInt(row?.['size_after']), row?.['root'] as Buffer];
  return parseCheckpoint(formatCheckpoint({ origin: ORIGIN, size, root }));
}

/** What somebody does who owns the database and knows how it is made: all of it, consistently. */
async function rewriteWhole(sql: ReturnType<World['sql']>, at: number): Promise<void> {
  const rows = await sql`select idx, entry, acq_seq from ledger_entry order by idx`;
  const alone = await sql`
    select min(idx) as idx from ledger_entry e where idx >= ${at} and not exists (
      select from ledger_entry x where x.acq = e.acq and x.acq_seq > e.acq_seq)`;
  const target = Number(alone[0]?.['idx']);
  const entries = rows.map((row) => row['entry'] as Buffer);
  const text = String(entries[target]).replace(/"salt":"..../, '"salt":"AAAA');
  entries[target] = Buffer.from(text);
  await sql`update ledger_entry set entry = ${entries[target]}, leaf = ${leafHash(entries[target])}
    where idx = ${target}`;
  // Whoever has the keys of the log would sign them anew; nobody else can.
  await sql`delete from ledger_checkpoint`;
  const leaves = entries.map(leafHash);
  for (const { level, n, hashes, root } of grow(EMPTY_TREE, leaves).tiles) {
    await sql`update ledger_tile set hashes = ${hashes}, root = ${root}
      where level = ${level} and n = ${n}`;
  }
  for (const { size_after: size } of await sql`select size_after from ledger_batch`) {
    const { tree } = grow(EMPTY_TREE, leaves.slice(0, Number(size)));
    await sql`update ledger_batch set root = ${rootOf(tree)}, edge = ${edgeBytes(tree)}
      where size_after = ${size}`;
  }
}
