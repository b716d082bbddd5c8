// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventId, WorkerId } from '@impound/contracts/ids.ts';
import { childId, newId, newWorkerId } from './ids.ts';

const CAUSE = '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01';
const TYPE = 'access.checked.v1';

test('the same cause gives the same id, today and in another process', () => {
  assert.equal(childId(CAUSE, TYPE), childId(CAUSE, TYPE, '0'));
  // By sha256sum, with the version and the variant put in: chains that exist hang on it.
  assert.equal(childId(CAUSE, TYPE), '0199f5a2-7c3e-863b-be7f-a6ae557054a3');
});

const OTHERS = [
  ['cause', childId('0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d02', TYPE)],
  ['type', childId(CAUSE, 'access.checked.v2')],
  ['discriminator', childId(CAUSE, TYPE, 'worker-1')],
] as const;

for (const [what, other] of OTHERS) {
  test(`another ${what} gives another id`, () => assert.notEqual(other, childId(CAUSE, TYPE)));
}

test('what follows from a first id begins with its time, and what follows from that too', () => {
  const child = childId(CAUSE, TYPE);
  assert.match(child, /^0199f5a2-7c3e-8/);
  assert.match(childId(child, TYPE), /^0199f5a2-7c3e-8/);
  assert.match(childId(CAUSE.toUpperCase(), TYPE), /^0199f5a2-7c3e-8/);
});

test('a cause that is no id gives an id all the same', () => {
  for (const cause of ['', 'an order', `${CAUSE} and more`, 'a'.repeat(36)]) {
    const child = childId(cause, TYPE);
    EventId.parse(child);
    assert.ok(!child.startsWith('0199f5a2'));
    assert.notEqual(child, childId(`${cause}.`, TYPE));
  }
});

test('ids are UUIDs of version 8 and 7 with the variant of RFC 9562', () => {
  for (let n = 0; n < 200; n++) {
    assert.match(childId(CAUSE, TYPE, String(n)), /^.{8}-.{4}-8.{3}-[89ab].{3}-.{12}$/);
    assert.match(newId(), /^.{8}-.{4}-7.{3}-[89ab].{3}-.{12}$/);
    EventId.parse(childId(CAUSE, TYPE, String(n)));
    EventId.parse(newId());
  }
});

test('new ids sort by their time and carry it', () => {
  const times = [0, 1, 255, 256, 1_795_000_000_000, 2 ** 47, 2 ** 48 - 1];
  const ids = times.map((at) => newId(at));
  assert.deepEqual(ids.toSorted(), ids);
  const carried = ids.map((id) => Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16));
  assert.deepEqual(carried, times);
});

test('two ids of one millisecond differ, and so do two workers of one process', () => {
  assert.equal(new Set(Array.from({ length: 500 }, () => newId(1))).size, 500);
  const [one, other] = [newWorkerId('executor-kubernetes'), newWorkerId('executor-kubernetes')];
  assert.notEqual(one, other);
  WorkerId.parse(one);
});
