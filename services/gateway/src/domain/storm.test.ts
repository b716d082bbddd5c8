// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { Integration } from '@impound/contracts/integration.ts';
import type { Caller } from './caller.ts';
import { causesOf, keyOf } from './storm.ts';

const NOW = 1_795_000_000_000;
const data = AcquisitionRequestedV1.shape.parse(AcquisitionRequestedV1.example);
const found = { ...data, finding: { uid: 'alert-1' } };

function caller(more: object = {}): Caller {
  const integration = Integration.parse({
    id: 'siem',
    kind: 'integration',
    tenant: 'default',
    credentials: [],
    clusters: ['*'],
    namespaces: ['*'],
    ...more,
  });
  const { id, kind, tenant } = integration;
  return { actor: { id, kind, authn: 'none' }, tenant, integration };
}

test('an order with a key is known by it alone, and only to whoever gave it', () => {
  const of = (who: Caller, nowMs = NOW) => causesOf(who, { data: found, key: 'k' }, nowMs);
  assert.equal(of(caller()).keyed, true);
  assert.deepEqual(of(caller()).orders, of(caller(), NOW * 2).orders);
  assert.notDeepEqual(of(caller()).orders, of(caller({ id: 'other' })).orders);
  assert.notDeepEqual(of(caller()).orders, of(caller({ tenant: 'other' })).orders);
});

test('an order without a key is known by its finding and target, for its window', () => {
  const of = (nowMs: number, more: object = {}) =>
    causesOf(
      caller({ repeatSeconds: 100 }),
      { data: { ...found, ...more }, key: undefined },
      nowMs,
    );
  const start = Math.floor(NOW / 100_000) * 100_000;
  const first = of(start).orders[0];
  assert.ok(of(start + 99_999).orders.includes(first ?? ''));
  assert.ok(of(start + 199_999).orders.includes(first ?? ''), 'a window later at the latest');
  assert.ok(!of(start + 200_000).orders.includes(first ?? ''));
  assert.ok(!of(start, { finding: { uid: 'alert-2' } }).orders.includes(first ?? ''));
  const elsewhere = { target: { ...data.target, pod: 'other' } };
  assert.ok(!of(start, elsewhere).orders.includes(first ?? ''));
  assert.ok(of(start, { reason: 'fired again' }).orders.includes(first ?? ''));
});

test('an order without key and finding is another one each time', () => {
  const { orders, keyed } = causesOf(caller(), { data, key: undefined }, NOW);
  assert.deepEqual([orders, keyed], [[], false]);
  const never = caller({ repeatSeconds: 0 });
  assert.deepEqual(causesOf(never, { data: found, key: undefined }, NOW).orders, []);
});

test('findings are gathered that ask for the same things; a person is taken at its word', () => {
  const storm = (who: Caller, more: object = {}) =>
    causesOf(who, { data: { ...found, ...more }, key: undefined }, NOW).storm;
  const one = storm(caller());
  assert.ok(one);
  assert.deepEqual(storm(caller(), { finding: { uid: 'alert-2' }, reason: 'another' }), one);
  for (const more of [{ profile: 'full' }, { paths: ['/etc'] }, { caseId: 'IR-2' }]) {
    assert.notDeepEqual(storm(caller(), more), one);
  }
  assert.equal(storm(caller({ kind: 'person' })), undefined);
  assert.equal(storm(caller({ stormSeconds: 0 })), undefined);
  assert.ok(storm(caller({ kind: 'person', stormSeconds: 60 })));
});

const KEYS = [
  ['abc', 'abc'],
  ['"abc"', 'abc'],
  ['"a\\"b\\\\c"', 'a"b\\c'],
  ['"abc', '"abc'],
  ['"a"b"', '"a"b"'],
] as const;

for (const [header, key] of KEYS) {
  test(`the Idempotency-Key ${header} is ${key}`, () => assert.equal(keyOf(header), key));
}
