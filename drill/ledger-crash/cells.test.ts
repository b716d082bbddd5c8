// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cellsOf, sampleOf } from './cells.ts';

const STEPS = [
  { wire: 'database', way: 'in', label: 'Sync: insert ledger_batch' },
  { wire: 'database', way: 'out', label: 'ReadyForQuery: insert ledger_batch' },
  { wire: 'bus', way: 'in', label: 'HPUB impound.v1.event' },
  { wire: 'bus', way: 'out', label: 'PING' },
] as const;
const cells = cellsOf({ says: STEPS, tile: STEPS, rotation: [] });

test('a message that commits is broken before it and within it, in every way there is', () => {
  const commit = cells.filter(({ label }) => label.startsWith('Sync'));
  const faults = Map.groupBy(commit, ({ moment }) => moment);
  assert.deepEqual(
    faults.get('before')?.map(({ fault }) => fault),
    ['ledger killed', 'postgres killed', 'backend killed', 'connection cut'],
  );
  assert.equal(faults.get('during')?.at(-1)?.fault, 'connection half open');
  assert.equal(faults.get('during')?.length, 5);
});

test('what several scenes share is broken once, and a sign of life on the bus never', () => {
  assert.equal(new Set(cells.map((cell) => JSON.stringify(cell))).size, cells.length);
  assert.ok(cells.every(({ scene, label }) => scene === 'says' && label !== 'PING'));
});

test('a sample has each kind of fault, and is the same each time', () => {
  const sample = sampleOf(cells, 1);
  const kinds = (some: typeof cells) =>
    new Set(some.map(({ wire, moment, fault }) => `${wire} ${moment} ${fault}`));
  assert.deepEqual(kinds(sample), kinds(cells));
  assert.deepEqual(sampleOf(cells, 1), sample);
});
