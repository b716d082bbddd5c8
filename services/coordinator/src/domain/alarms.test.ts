// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Alarms, alarms } from './alarms.ts';

test('an alarm that was moved or taken away does not ring at its old moment', () => {
  const set = alarms();
  set.set('a', 5);
  set.set('b', 3);
  set.set('a', 9);
  set.set('b', undefined);
  assert.equal(set.nextMs(), 9);
  assert.deepEqual(set.due(8), []);
  assert.deepEqual(set.due(9), ['a']);
  assert.equal(set.nextMs(), undefined);
});

test('whatever is set, moved and taken away, what is due comes in the order of time', () => {
  const name = fc.constantFrom(...'abcdefgh');
  const act = fc.tuple(name, fc.option(fc.nat(20), { nil: undefined }), fc.boolean());
  fc.assert(
    fc.property(fc.array(act, { maxLength: 200 }), (acts) => {
      const set = alarms();
      const model = new Map<string, number>();
      for (const [key, atMs, rings] of acts) {
        set.set(key, atMs);
        model.delete(key);
        if (atMs !== undefined) model.set(key, atMs);
        assert.equal(set.nextMs() ?? Number.POSITIVE_INFINITY, Math.min(...model.values()));
        if (rings) assertRings(set, model, 10);
      }
    }),
  );
});

function assertRings(set: Alarms, model: Map<string, number>, nowMs: number): void {
  const due = set.due(nowMs);
  const expected = [...model].filter(([, moment]) => moment <= nowMs).map(([one]) => one);
  assert.deepEqual(due.toSorted(), expected.toSorted());
  const times = due.map((one) => model.get(one) ?? 0);
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  );
  for (const one of due) model.delete(one);
}
