// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { AcquisitionSealedV1 } from '@impound/contracts/acquisition/sealed.v1.ts';
import { EvidenceAccessedV1 } from '@impound/contracts/evidence/accessed.v1.ts';
import { successionText } from '@impound/contracts/log-key.ts';
import { newId } from '@impound/runtime/ids.ts';
import { until } from '@impound/runtime/testing/until.ts';
import { openCheckpoint } from '@impound/transparency/checkpoint.ts';
import { leafHash } from '@impound/transparency/hash.ts';
import {
  headSigners,
  newLogKeys,
  readLogKeys,
  rotatedLogKeys,
  succeedingLogKeys,
  successorText,
} from '@impound/transparency/log-keys.ts';
import { isSigned } from '@impound/transparency/note.ts';
import { isSigsumLeafOf, parseSigsumLeaf } from '@impound/transparency/sigsum.ts';
import { EMPTY_TREE, grow, rootOf } from '@impound/transparency/tree.ts';
import { requested, type World, world } from './world.ts';

const SECRET = newLogKeys('ledger.test/log');
const KEYS = readLogKeys(SECRET);

async function leavesOf(it: World): Promise<Buffer[]> {
  const rows = await it.sql()`select entry from ledger_entry order by idx`;
  return rows.map((row) => leafHash(row['entry'] as Buffer));
}

/** Starts a ledger, which writes until it is done with what it says of itself, and ends it. */
async function startOnce(_t: TestContext, it: World, entries: number): Promise<void> {
  await using _running = await it.start();
  await until(async () => (await leavesOf(it)).length >= entries);
}

test('what is committed is soon under a checkpoint of both heads, over the tree of all entries', async (t) => {
  const it = await world(t, { keys: SECRET });
  await it.start();
  for (let n = 0; n < 3; n++) await it.say(AcquisitionRequestedV1, newId(), requested);
  const newest = () => it.sql()`select head, note from ledger_checkpoint where size = 4`;
  await until(async () => (await newest()).length === 2);
  const notes = new Map((await newest()).map((row) => [row['head'], Buffer.from(row['note'])]));
  const root = rootOf(grow(EMPTY_TREE, await leavesOf(it)).tree);
  const heads = headSigners(KEYS);
  for (const head of ['own', 'sigsum'] as const) {
    const opened = openCheckpoint(notes.get(head) ?? Buffer.alloc(0), [heads[head].vkey]);
    assert.deepEqual([opened.size, opened.root], [4n, root]);
  }
  assert.equal(heads.own.vkey.name, 'ledger.test/log');
});

test('a ledger that begins signs what the one before it has committed and not signed', async (t) => {
  const it = await world(t, { keys: SECRET });
  const first = await it.start();
  await it.say(AcquisitionRequestedV1, newId(), requested);
  await first[Symbol.asyncDispose]();
  await it.sql().unsafe(`alter table ledger_checkpoint disable trigger ledger_checkpoint_no_change;
    delete from ledger_checkpoint;
    alter table ledger_checkpoint enable always trigger ledger_checkpoint_no_change`);
  await it.start();
  await until(async () => {
    const rows = await it.sql()`select size from ledger_checkpoint where size = 2`;
    return rows.length === 2;
  });
});

test('the first entry of a log names it and its keys, and the chain of it is no acquisition', async (t) => {
  const it = await world(t, { keys: SECRET });
  await startOnce(t, it, 1);
  const [row] = await it.sql()`select convert_from(entry, 'UTF8')::jsonb as entry, ends
    from ledger_entry where idx = 0`;
  const { event } = row?.['entry'] ?? {};
  assert.deepEqual([event.type, event.data.origin], ['log.began.v1', 'ledger.test/log']);
  const keys = await it.sql()`select role, encode(public_key, 'base64') as key, change, idx
    from ledger_key order by role`;
  assert.deepEqual(
    keys.map((one) => [one['role'], one['key'], one['change'], Number(one['idx'])]),
    (['checkpoint', 'sigsum', 'submitter'] as const).map((role) => [
      role,
      KEYS[role].publicKey.toString('base64'),
      'registered',
      0,
    ]),
  );
});

test('a seal is followed by a leaf of sigsum that vouches for it, and nobody is told of that', async (t) => {
  const it = await world(t, { keys: SECRET });
  await it.start();
  const acq = newId();
  await it.say(AcquisitionRequestedV1, acq, requested);
  const sealed = AcquisitionSealedV1.shape.parse(AcquisitionSealedV1.example);
  const seal = await it.say(AcquisitionSealedV1, acq, sealed);
  assert.equal(seal.ok && seal.seq, 2);
  const accessed = EvidenceAccessedV1.shape.parse(EvidenceAccessedV1.example);
  const after = await it.say(EvidenceAccessedV1, acq, accessed);
  assert.deepEqual([after.ok && after.seq, after.ok && after.version], [4, 3]);
  const rows = await it.sql()`select entry, event_id from ledger_entry order by idx`;
  const leaf = parseSigsumLeaf(rows[3]?.['entry'] as Buffer);
  assert.ok(isSigsumLeafOf(leaf, rows[2]?.['entry'] as Buffer, KEYS.submitter.publicKey));
  assert.equal(rows[3]?.['event_id'], null);
  await until(() => it.heard.length === 3);
  assert.deepEqual(
    it.heard.map(({ seq }) => seq),
    [1, 2, 4],
  );
  const [last] = await it.sql()`select root from ledger_batch order by size_after desc limit 1`;
  assert.deepEqual(last?.['root'], rootOf(grow(EMPTY_TREE, await leavesOf(it)).tree));
});

test('a ledger that stops between a seal and its leaf goes on behind both', async (t) => {
  const it = await world(t, { keys: SECRET });
  const first = await it.start();
  const acq = newId();
  await it.say(AcquisitionRequestedV1, acq, requested);
  const sealed = AcquisitionSealedV1.shape.parse(AcquisitionSealedV1.example);
  await it.say(AcquisitionSealedV1, acq, sealed);
  await until(() => it.heard.length === 2);
  await first[Symbol.asyncDispose]();
  await it.start();
  const accessed = EvidenceAccessedV1.shape.parse(EvidenceAccessedV1.example);
  await it.say(EvidenceAccessedV1, acq, accessed);
  await until(() => it.heard.length === 3);
  assert.deepEqual(
    it.heard.map(({ seq, again }) => [seq, again]),
    [1, 2, 4].map((seq) => [seq, false]),
  );
});

test('a key is changed by an entry for which the key before it vouches', async (t) => {
  const it = await world(t, { keys: SECRET });
  await startOnce(t, it, 1);
  const secret = rotatedLogKeys(SECRET, 'checkpoint');
  const keys = readLogKeys(secret);
  const changed = await world(t, { ...it, keys: secret });
  await startOnce(t, changed, 3);
  const rows = await it.sql()`select convert_from(entry, 'UTF8')::jsonb -> 'event' as event
    from ledger_entry order by idx`;
  const [, registered, retired, ...more] = rows.map((row) => row['event']);
  assert.deepEqual([registered.type, retired.type], ['key.registered.v1', 'key.retired.v1']);
  assert.equal(more.length, 0);
  const { vouched, ...key } = registered.data;
  assert.equal(key.publicKey, keys.checkpoint.publicKey.toString('base64'));
  const text = Buffer.from(successionText('ledger.test/log', key));
  assert.ok(isSigned(KEYS.checkpoint.publicKey, text, Buffer.from(vouched, 'base64')));
  await startOnce(t, changed, 3);
  const [row] = await it.sql()`select count(*)::int as entries from ledger_entry`;
  assert.equal(row?.['entries'], 3);
  await assert.rejects(it.start(), /the checkpoint key in LOG_KEYS is not the one on record/);
});

test('a ledger does not start with keys that are not those of its log', async (t) => {
  const it = await world(t, { keys: SECRET });
  await startOnce(t, it, 1);
  const others: readonly (readonly [string, RegExp])[] = [
    [newLogKeys('ledger.test/log'), /the checkpoint key in LOG_KEYS is not the one on record/],
    [newLogKeys('ledger.test/other'), /the database holds ledger\.test\/log/],
    ['{"origin":"ledger.test/log"}', /the key for checkpoint is no Ed25519 key/],
    ['-----BEGIN PRIVATE KEY-----', /no JSON object/],
  ];
  for (const [secret, because] of others) {
    const other = await world(t, { ...it, migrated: false, keys: secret });
    await assert.rejects(other.start(), because);
  }
});

test('a log that takes the place of another tells in its first entry how that one ended', async (t) => {
  const it = await world(t, { keys: SECRET });
  await it.start();
  const newest = () => it.sql()`select note from ledger_checkpoint where head = 'own'`;
  await until(async () => (await newest()).length > 0);
  const [row] = await newest();
  const about = { note: String(row?.['note']), held: 0, orderedBy: 'J. Doe', because: 'a test' };
  const secret = await succeedingLogKeys(SECRET, 'ledger.test/log-2', about);
  const next = await world(t, { keys: secret });
  await startOnce(t, next, 1);
  const [first] = await next.sql()`
    select convert_from(entry, 'UTF8')::jsonb #> '{event,data}' as data from ledger_entry`;
  const { origin, succeeds } = first?.['data'] ?? {};
  const { vouched, ...said } = succeeds;
  assert.deepEqual([origin, said], ['ledger.test/log-2', about]);
  const text = Buffer.from(successorText(said, readLogKeys(secret)));
  assert.ok(isSigned(KEYS.checkpoint.publicKey, text, Buffer.from(vouched, 'base64')));
  const old = await world(t, { ...it, keys: secret });
  await assert.rejects(old.start(), /the database holds ledger\.test\/log:/);
});
