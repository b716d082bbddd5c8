// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BusFacts } from '@impound/runtime/bus-look.ts';
import type { DatabaseFacts } from './database.ts';
import { relayFinding } from './relay.ts';

function lag(movedAt: string | undefined, lastAt: string, messages = 1) {
  const bus = { stream: { messages, lastAt, consumers: [] } } as unknown as BusFacts;
  const database = { chains: { movedAt } } as unknown as DatabaseFacts;
  return relayFinding(bus, database).map(({ verdict }) => verdict);
}

test('an entry that was told a moment later is well', () => {
  assert.deepEqual(lag('2026-11-28T04:00:00Z', '2026-11-28T04:00:01Z'), ['ok']);
  assert.deepEqual(lag(undefined, '0001-01-01T00:00:00Z', 0), ['ok']);
});

test('an entry that was not told is a sickness', () => {
  assert.deepEqual(lag('2026-11-28T04:00:30Z', '2026-11-28T04:00:00Z'), ['sick']);
  assert.deepEqual(lag('2026-11-28T04:00:30Z', '0001-01-01T00:00:00Z', 0), ['sick']);
});

test('where one of both was not seen nothing is said of how far one follows the other', () => {
  assert.deepEqual(relayFinding(undefined, undefined), []);
});
