// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { AcquisitionSealedV1 } from '@impound/contracts/acquisition/sealed.v1.ts';
import { newId } from '@impound/runtime/ids.ts';
import { openDatabase } from '@impound/runtime/postgres.ts';
import { Secret } from '@impound/runtime/secret.ts';
import { until } from '@impound/runtime/testing/until.ts';
import { opensslAuthority } from '@impound/timestamp/testing/openssl-authority.ts';
import { checkToken } from '@impound/timestamp/token.ts';
import { readLogKeys, rotatedLogKeys } from '@impound/transparency/log-keys.ts';
import type { Outside } from '../src/handlers/fsck-marks.ts';
import { sealLeaf } from '../src/handlers/seal-leaf.ts';
import { LOG, SECRET, startWith, witnessOf } from './outside-world.ts';
import { look, NOTHING, tampered } from './tampered.ts';
import { requested, type World, world } from './world.ts';

/** A log with a seal, a cosignature, two stamps, and another key for its checkpoints. */
async function recorded(t: TestContext): Promise<{ it: World; outside: Outside }> {
  const it = await world(t, { keys: SECRET });
  const authority = await opensslAuthority(t);
  const witness = await witnessOf(t);
  const stamped = { TSA_URL: authority.url.href, TSA_CERTIFICATES: authority.root };
  await using looking = new AsyncDisposableStack();
  const options = { connectionsMax: 1, name: 'test' };
  const sql = openDatabase(new Secret(it.database.url), options, looking);
  const tokens = async () => (await sql`select from ledger_anchor`).length;
  const said = async () =>
    (await sql`select from ledger_entry where type = 'checkpoint.stamped.v1'`).length;
  const first = await startWith(t, it, { ...stamped, POLICY: witness.policy });
  const acq = newId();
  const begun = await it.say(AcquisitionRequestedV1, acq, requested);
  assert.ok(begun.ok);
  const example = AcquisitionSealedV1.shape.parse(AcquisitionSealedV1.example);
  const data = { ...example, entries: begun.version, lastEntry: begun.entryHash };
  const sealed = await it.say(AcquisitionSealedV1, acq, AcquisitionSealedV1.shape.parse(data));
  assert.ok(sealed.ok);
  await until(async () => (await sql`select from ledger_cosignature`).length > 0);
  await until(async () => (await said()) > 0);
  await first[Symbol.asyncDispose]();
  const before = await tokens();
  const secret = rotatedLogKeys(SECRET, 'checkpoint');
  const second = await startWith(t, it, { ...stamped, LOG_KEYS: secret });
  await it.say(AcquisitionRequestedV1, newId(), requested);
  await until(async () => (await tokens()) > before && (await said()) === (await tokens()));
  await until(async () => {
    const [row] = await sql`select max(size_after) = (select max(size) from ledger_checkpoint) as so
      from ledger_batch`;
    return row?.['so'] === true;
  });
  await second[Symbol.asyncDispose]();
  // Nobody else may look at what is copied.
  await looking.disposeAsync();
  const stamp = (token: Buffer, note: Buffer) =>
    checkToken(token, { data: note, trusted: [authority.root] });
  return { it, outside: { keys: [LOG], known: [], witnesses: [witness.vkey], stamp } };
}

const SIZE = '(select min(size) from ledger_cosignature)';

const TAMPERINGS: readonly (readonly [string, string, string, string, RegExp])[] = [
  [
    'a witness has signed something else',
    `update ledger_cosignature set line = overlay(line placing 'AAAA' from length(line) - 12)
      where size = ${SIZE}`,
    'cosignature',
    SIZE,
    /is not over this text|its base64/,
  ],
  [
    'a cosignature is kept under the name of another witness',
    `update ledger_cosignature set witness = 'witness.test/2' where size = ${SIZE}`,
    'cosignature',
    SIZE,
    /it is no cosignature by that name/,
  ],
  [
    'a row tells another time than its cosignature',
    `update ledger_cosignature set cosigned_at = cosigned_at + interval '1 hour'
      where size = ${SIZE}`,
    'index',
    SIZE,
    /its row another time/,
  ],
  [
    'a token of time is of other bytes',
    `update ledger_anchor set token = (select token from ledger_anchor order by size desc limit 1)
      where size = (select min(size) from ledger_anchor)`,
    'stamp',
    '(select min(size) from ledger_anchor)',
    /it is of other bytes than are kept/,
  ],
  [
    'what was stamped is another checkpoint',
    `update ledger_anchor set note = (select note from ledger_checkpoint where head = 'own'
      order by size desc limit 1) where size = (select min(size) from ledger_anchor)`,
    'stamp',
    '(select min(size) from ledger_anchor)',
    /it was made for another checkpoint/,
  ],
  [
    'a token that is on record is gone',
    'delete from ledger_anchor where size = (select min(size) from ledger_anchor)',
    'stamp',
    "(select min(idx) from ledger_entry where type = 'checkpoint.stamped.v1')",
    /that it names is not kept/,
  ],
  [
    'a key is gone from the index of keys',
    "delete from ledger_key where role = 'submitter'",
    'index',
    '0',
    /the index of keys lacks the submitter key/,
  ],
  [
    'a key is in the index that no entry names',
    `insert into ledger_key (idx, role, public_key, change)
      values (1, 'sigsum', sha256('x'), 'registered')`,
    'index',
    '1',
    /the index of keys has a sigsum key of no entry/,
  ],
  [
    'a key is another one in the index',
    "update ledger_key set public_key = sha256('x') where change = 'retired'",
    'index',
    "(select idx from ledger_key where change = 'retired')",
    /the index of keys/,
  ],
  [
    'an entry is kept twice under one index',
    `alter table ledger_key drop constraint ledger_key_idx_fkey;
      alter table ledger_entry drop constraint ledger_entry_pkey,
        drop constraint ledger_entry_event_id_key, drop constraint ledger_entry_acq_key;
      drop index ledger_entry_end;
      insert into ledger_entry select * from ledger_entry where idx = 2`,
    'entry',
    '3',
    /leaf 3 is missing: the next one that is kept is 2/,
  ],
  [
    'the key before has not vouched for the new one',
    `update ledger_entry set entry = regexp_replace(convert_from(entry, 'UTF8'),
      '"vouched":"....', '"vouched":"AAAA')::bytea where type = 'key.registered.v1'`,
    'checkpoint',
    "(select idx from ledger_entry where type = 'key.registered.v1')",
    /the checkpoint key before has not vouched for this one/,
  ],
];

test('what stands beside the leaves is held against them', async (t) => {
  const { it, outside } = await recorded(t);
  const { sql } = await tampered(t, it, '', true);
  const good = await look(sql, outside);
  assert.deepEqual(good.findings, []);
  assert.equal(good.signed, good.checkpoints / 2);
  assert.ok(good.cosigned > 0 && good.cosigned === good.cosignatures, JSON.stringify(good));
  assert.ok(good.stamped > 1 && good.stamped === good.stamps, JSON.stringify(good));

  for (const [what, change, kind, at, words] of TAMPERINGS) {
    await t.test(`where ${what}, the place is named`, async (t) => {
      const idx = Number((await sql.unsafe(`select ${at} as idx`))[0]?.['idx']);
      const { sql: changed } = await tampered(t, it, change);
      const { findings } = await look(changed, outside);
      const found = findings.find((one) => words.test(one.what));
      assert.deepEqual([found?.class, found?.idx], [kind, idx], JSON.stringify(findings));
    });
  }

  await t.test('where a stranger has signed the leaf of a seal, it is named', async (t) => {
    const { sql: changed } = await tampered(t, it, '');
    const [seal] = await changed`select idx, entry from ledger_entry
      where type = 'acquisition.sealed.v1'`;
    const idx = Number(seal?.['idx']) + 1;
    const { checkpoint: stranger } = readLogKeys(SECRET);
    const bytes = await sealLeaf(stranger, String(seal?.['entry']));
    await changed`update ledger_entry set entry = ${bytes} where idx = ${idx}`;
    const { findings } = await look(changed, NOTHING);
    const found = findings.find(({ what }) => what.includes('has not signed it'));
    assert.deepEqual([found?.class, found?.idx], ['checkpoint', idx], JSON.stringify(findings));
  });
});
