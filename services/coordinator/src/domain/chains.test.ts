// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId } from '@impound/runtime/ids.ts';
import { memoryLedger } from '../../test/memory-ledger.ts';
import { BEGIN_MS, entriesOf, hashOf, ID, ready, requested, started } from '../../test/story.ts';
import { BrokenChain, chainsOf } from './chains.ts';
import type { Link } from './ledger.ts';

const { signal } = new AbortController();
const REF = { tenant: 'default', acquisitionId: ID };
const links = (): readonly Link[] =>
  entriesOf(ready()).map((entry, at) => ({ seq: 40 + at, hash: hashOf(at + 1), entry }));

test('a chain is read page by page, and later only what is new', async () => {
  const asked: number[] = [];
  const ledger = memoryLedger(() => BEGIN_MS);
  const chains = chainsOf({
    history: (ref, after, until) => {
      asked.push(after);
      return ledger.history(ref, after, until);
    },
  });
  ledger.tell(ID, ...ready(), started(1));
  const { state, seq, lastEntry } = await chains.read(REF, undefined, signal);
  assert.deepEqual([state.version, seq, lastEntry], [5, 0, hashOf(5)]);
  ledger.tell(ID, started(2));
  assert.equal((await chains.read(REF, 5, signal)).state.version, 5);
  assert.equal((await chains.read(REF, 6, signal)).state.version, 6);
  assert.deepEqual(asked, [0, 3, 5]);
});

test('only so many chains are kept; the others are read from their beginning', async () => {
  const ledger = memoryLedger(() => BEGIN_MS);
  const chains = chainsOf(ledger, 2);
  const ids = [ID, newId(), newId()];
  for (const acquisitionId of ids) {
    ledger.tell(acquisitionId, requested());
    await chains.read({ tenant: 'default', acquisitionId }, undefined, signal);
  }
  assert.deepEqual(
    ids.map((id) => chains.known(id) !== undefined),
    [false, true, true],
  );
});

const [one, two, three] = links();
assert.ok(one && two && three);
const BROKEN: readonly (readonly [string, readonly Link[]])[] = [
  ['an entry is missing', [one, three]],
  ['an entry comes twice', [one, one]],
  ['an entry does not hold the hash before it', [{ ...one, hash: hashOf(9) }, two]],
  ['an entry is of another acquisition', [{ ...one, entry: otherChain() }]],
  ['nothing comes', []],
];
for (const [what, given] of BROKEN) {
  test(`a chain in which ${what} is not folded`, async () => {
    const chains = chainsOf({ history: async () => ({ version: 3, links: given }) });
    await assert.rejects(chains.read(REF, undefined, signal), BrokenChain);
    assert.equal(chains.known(ID), undefined);
  });
}

function otherChain() {
  const [entry] = entriesOf([requested()], newId());
  assert.ok(entry);
  return entry;
}
