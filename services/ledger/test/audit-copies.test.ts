// SPDX-License-Identifier: Apache-2.0
// What a copy of the log is made of: the bytes behind every hash, whosever they are.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { AcquisitionSealedV1 } from '@impound/contracts/acquisition/sealed.v1.ts';
import { LedgerAuditV1 } from '@impound/contracts/ask/ledger.audit.v1.ts';
import { newId } from '@impound/runtime/ids.ts';
import { leafHash } from '@impound/transparency/hash.ts';
import { requested, type World, world } from './world.ts';

const tenant = 'default' as never;
const SEALED = AcquisitionSealedV1.shape.parse(AcquisitionSealedV1.example);

/** Entries of the log itself, a sealed chain with what vouches for it, and a stranger's. */
async function recorded(it: World): Promise<number> {
  const acq = newId();
  const begun = await it.say(AcquisitionRequestedV1, acq, requested);
  assert.ok(begun.ok);
  const data = { ...SEALED, entries: begun.version, lastEntry: begun.entryHash };
  assert.ok((await it.say(AcquisitionSealedV1, acq, data)).ok);
  const other = await it.say(AcquisitionRequestedV1, newId(), requested, { tenant: 'other' });
  assert.ok(other.ok);
  return other.seq;
}

async function copied(
  it: World,
  more: { readonly allTenants?: boolean; readonly withLog: boolean },
) {
  const page = await it.ask(LedgerAuditV1, {
    tenant,
    filter: {},
    after: -1,
    limit: 1_000,
    ...more,
  });
  for (const { hash, text, bytes } of page.entries) {
    const entry = bytes === undefined ? Buffer.from(text) : Buffer.from(bytes, 'base64');
    assert.equal(leafHash(entry).toString('hex'), hash);
  }
  return page.entries.map(({ seq }) => seq);
}

test('a copy of the log has every byte that is hashed, and of others only where that is asked for', async (t) => {
  const it = await world(t);
  await it.start();
  const stranger = await recorded(it);
  const all = Array.from({ length: stranger + 1 }, (_, seq) => seq);
  const leaf = stranger - 1;
  assert.deepEqual(await copied(it, { withLog: true, allTenants: true }), all);
  assert.deepEqual(await copied(it, { withLog: true }), all.slice(0, -1));
  assert.deepEqual(await copied(it, { withLog: false }), [1, 2]);
  const others = [1, 2, stranger];
  assert.deepEqual(await copied(it, { withLog: false, allTenants: true }), others);
  assert.equal(leaf, 3, 'what vouches for the seal stands behind it');
});
