// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { LedgerCheckpointV1 } from '@impound/contracts/ask/ledger.checkpoint.v1.ts';
import { LedgerConsistencyV1 } from '@impound/contracts/ask/ledger.consistency.v1.ts';
import { LedgerHistoryV1 } from '@impound/contracts/ask/ledger.history.v1.ts';
import { LedgerProofV1 } from '@impound/contracts/ask/ledger.proof.v1.ts';
import { LedgerTileV1 } from '@impound/contracts/ask/ledger.tile.v1.ts';
import { newId } from '@impound/runtime/ids.ts';
import { type Checkpoint, openCheckpoint } from '@impound/transparency/checkpoint.ts';
import { leafHash } from '@impound/transparency/hash.ts';
import { inclusionPath } from '@impound/transparency/proof.ts';
import { verifyConsistency, verifyInclusion } from '@impound/transparency/proof-check.ts';
import { rangeRoots } from '@impound/transparency/tile-reader.ts';
import { parseVkey } from '@impound/transparency/vkey.ts';
import { requested, type World, world } from './world.ts';

const LIMIT = { timeout: 120_000 };
const tenant = 'default' as never;

async function begin(it: World, count: number): Promise<string> {
  const ids = Array.from({ length: count }, newId);
  const replies = await Promise.all(ids.map((id) => it.say(AcquisitionRequestedV1, id, requested)));
  assert.ok(replies.every(({ ok }) => ok));
  return ids.at(-1) ?? '';
}

/** The newest checkpoint, verified by the key beside it, once it is over everything committed. */
async function signed(t: TestContext, it: World): Promise<Checkpoint> {
  for (;;) {
    t.signal.throwIfAborted();
    const { checkpoint, keys } = await it.ask(LedgerCheckpointV1, {});
    const [row] = await it.sql()`select max(size_after) as size from ledger_batch`;
    if (checkpoint !== undefined && checkpoint.size === Number(row?.['size'])) {
      const own = openCheckpoint(Buffer.from(checkpoint.own), [parseVkey(keys.own)]);
      const other = openCheckpoint(Buffer.from(checkpoint.sigsum), [parseVkey(keys.sigsum)]);
      assert.deepEqual([own.size, own.root], [other.size, other.root]);
      return own;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const bytes = (hashes: readonly string[]) => hashes.map((hash) => Buffer.from(hash, 'base64'));

test('what the ledger proves of a chain leads to the root that it has signed', LIMIT, async (t) => {
  const it = await world(t);
  await it.start();
  const acquisitionId = (await begin(it, 300)) as never;
  const { size, root } = await signed(t, it);
  const asked = { tenant, acquisitionId, after: 0 };
  const { version, entries } = await it.ask(LedgerProofV1, { ...asked, size: Number(size) });
  const history = await it.ask(LedgerHistoryV1, asked);
  assert.equal(version, 1);
  assert.deepEqual(
    entries.map(({ index }) => index),
    history.entries.map(({ seq }) => seq),
  );
  for (const [at, { index, path }] of entries.entries()) {
    const leaf = leafHash(Buffer.from(history.entries[at]?.text ?? ''));
    verifyInclusion({ index: BigInt(index), path: bytes(path), size, root, leaf });
  }
  const other = await it.ask(LedgerProofV1, { ...asked, tenant: 'other' as never, size: 1 });
  assert.deepEqual(other, { version: 0, entries: [] });
  const future = await it.ask(LedgerProofV1, { ...asked, size: Number(size) + 1 });
  assert.deepEqual(future, { version: 1, entries: [] });
});

test(
  'whoever has the tiles makes every proof, and none is given that is not signed',
  LIMIT,
  async (t) => {
    const it = await world(t);
    await it.start();
    await begin(it, 300);
    const { size, root } = await signed(t, it);
    const tile = async (wanted: { level: number; n: number; width: number }) => {
      const { hashes } = await it.ask(LedgerTileV1, wanted);
      assert.ok(hashes !== undefined);
      return Buffer.from(hashes, 'base64');
    };
    const range = rangeRoots({ tile }, Number(size));
    const [row] = await it.sql()`select leaf from ledger_entry where idx = 17`;
    const path = await inclusionPath(range, 17, Number(size));
    verifyInclusion({ index: 17n, size, root, leaf: row?.['leaf'], path });
    const width = Number(size) - 256;
    for (const none of [
      { level: 0, n: 1, width: width + 1 },
      { level: 0, n: 2, width: 1 },
      { level: 1, n: 0, width: 2 },
      { level: 63, n: 0, width: 1 },
      { level: 0, n: Number.MAX_SAFE_INTEGER, width: 256 },
    ]) {
      assert.deepEqual(await it.ask(LedgerTileV1, none), {}, JSON.stringify(none));
    }
  },
);

test('an older checkpoint is shown to be the beginning of the newer one', LIMIT, async (t) => {
  const it = await world(t);
  await it.start();
  await begin(it, 5);
  const from = await signed(t, it);
  await begin(it, 260);
  const to = await signed(t, it);
  const sizes = { from: Number(from.size), to: Number(to.size) };
  const { path } = await it.ask(LedgerConsistencyV1, sizes);
  assert.ok(path !== undefined);
  verifyConsistency({ from, to, path: bytes(path) });
  for (const wrong of [
    { from: 1, to: sizes.to + 1 },
    { from: sizes.to, to: sizes.from },
  ]) {
    assert.deepEqual(await it.ask(LedgerConsistencyV1, wrong), {});
  }
});
