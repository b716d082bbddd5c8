// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from './bus-verdict.ts';

const ids = (version: string) => judge(version, undefined).advisories.map(({ id }) => id);

for (const [version, stamps, known] of [
  ['2.9.10', false, 5],
  ['2.9.15', false, 4],
  ['2.10.27', false, 3],
  ['2.10.29', false, 3],
  ['2.11.0', false, 4],
  ['2.11.14', false, 3],
  ['2.11.15', true, 2],
  ['2.11.16', true, 0],
  ['2.12.5', false, 3],
  ['2.12.6', true, 2],
  ['2.12.7', true, 0],
  ['2.14.0', true, 0],
  ['2.15.1', true, 0],
  ['v3.0.0', true, 0],
  ['2.12.6-RC.1', false, 5],
  ['unknown', false, 5],
] as const) {
  test(`nats-server ${version}: ${known} known weaknesses, stamps ${stamps}`, () => {
    assert.equal(judge(version, undefined).stamps, stamps);
    assert.equal(ids(version).length, known, String(ids(version)));
  });
}

test('what an acknowledgement means is told only where it is known', () => {
  const acks = [true, false, undefined].map((synced) => judge('2.15.1', synced).acks);
  assert.deepEqual(acks, ['disk', 'memory', 'unknown']);
});
