// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  approved,
  assigned,
  at,
  cancelling,
  type Fact,
  HOUR_MS,
  ID,
  missing,
  ready,
  requested,
  told,
  unapproved,
} from '../../test/story.ts';
import { joined } from './joining.ts';

const young = told(requested());
const joins = (state = young, others = [told(requested())], afterMs = 0) =>
  joined(state, at(afterMs, { others }))?.say;

test('a younger request for the same things joins the oldest one', () => {
  const older = { ...told(requested()), acquisitionId: ID.replace('d01', 'd00') };
  const say = joins(young, [older, told(requested())]);
  assert.deepEqual(say?.data, {
    joins: older.acquisitionId,
    because:
      'being acquired since 2026-11-23T09:00:00.000000Z: kubernetes://prod-eu/shop/cart-7f9c/cart',
  });
});

test('it joins one that was approved by a person, and one that is at work', () => {
  assert.ok(joins(young, [told(unapproved(), approved())]));
  assert.ok(joins(young, [told(...ready(['exec-stream', 'allowed']), assigned(1))]));
});

const OLDER: readonly (readonly [string, readonly Fact[]])[] = [
  ['nobody has approved', [unapproved()]],
  ['is being cancelled', [requested(), cancelling()]],
  ['has no target', [requested(), missing()]],
  ['wants another profile', [requested({ profile: 'full' })]],
  ['wants other paths', [requested({ paths: ['/etc'] })]],
  ['allows other methods', [requested({ methods: ['exec-stream'] })]],
  ['is for another container', [requested({ target: { ...target(), container: 'other' } })]],
];
for (const [what, facts] of OLDER) {
  test(`nothing joins an older request that ${what}`, () => {
    assert.equal(joins(young, [told(...facts)]), undefined);
  });
}

test('nothing joins an older request of another tenant, or one whose deadline has passed', () => {
  assert.equal(joins(young, [{ ...told(requested()), tenant: 'other' }]), undefined);
  assert.equal(joins(young, [told(requested())], HOUR_MS), undefined);
});

test('the oldest joins nobody, and nobody joins unapproved or after an assignment', () => {
  assert.equal(joins(young, []), undefined);
  assert.equal(joins(told(unapproved())), undefined);
  assert.equal(joins(told(...ready(['exec-stream', 'allowed']), assigned(1))), undefined);
});

function target() {
  return { kind: 'kubernetes', cluster: 'prod-eu', namespace: 'shop', pod: 'cart-7f9c' } as const;
}
