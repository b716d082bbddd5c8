// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Envelope } from '@impound/contracts/envelope.ts';
import { saysTheSame } from './same.ts';

const FIRST = {
  id: 'x',
  source: '/impound/uploader/u-1',
  time: '2026-11-23T09:15:00.000000Z',
  traceparent: '00-a-b-01',
  data: { objects: [{ key: 'k', verifiedAt: '2026-11-23T09:15:00.000000Z' }], epoch: 1 },
} as unknown as Envelope;

const later = { key: 'k', verifiedAt: '2026-11-23T10:00:00.000000Z' };
const CASES: readonly (readonly [string, object, boolean])[] = [
  ['the envelope is from another time', { time: '2026-11-23T09:16:00.000000Z' }, true],
  ['another process says it', { source: '/impound/uploader/u-2' }, true],
  ['it belongs to no trace', { traceparent: undefined }, true],
  ['a time inside its data differs', { data: { objects: [later], epoch: 1 } }, true],
  ['a number differs', { data: { ...FIRST.data, epoch: 2 } }, false],
  ['a time became a word', { data: { objects: [{ ...later, verifiedAt: 'x' }], epoch: 1 } }, false],
  ['something was added', { data: { ...FIRST.data, more: true } }, false],
];

for (const [what, change, same] of CASES) {
  test(`${what}: ${same ? 'the same' : 'something else'} is said`, () => {
    assert.equal(saysTheSame(FIRST, { ...FIRST, ...change } as Envelope), same);
  });
}
