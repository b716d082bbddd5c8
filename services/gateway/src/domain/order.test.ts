// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Integration } from '@impound/contracts/integration.ts';
import { Order } from '@impound/contracts/order.ts';
import type { Caller } from './caller.ts';
import { readBody, wantedOf } from './order.ts';
import { Refusal } from './problem.ts';

const integration = Integration.parse({
  id: 'siem',
  kind: 'integration',
  tenant: 'default',
  credentials: [],
  clusters: ['*'],
  namespaces: ['*'],
  approval: 'never',
});
const caller: Caller = {
  actor: { id: 'siem', kind: 'integration', authn: 'bearer-token' },
  tenant: integration.tenant,
  integration,
};
const GIVEN = {
  target: 'kubernetes://prod-eu/shop/cart-7f9c/cart',
  caseId: 'IR-2026-017',
  reason: 'Falco: a shell was started',
};
const order = Order.parse(GIVEN);
const NOW = Date.parse('2026-11-23T09:15:00Z');

test('an order becomes a request with its deadline and the budget that it left out', () => {
  const request = wantedOf(order, caller, NOW);
  assert.equal(request.deadline, '2026-11-23T10:15:00.000000Z');
  assert.deepEqual(request.budget, { bytesMax: 10_737_418_240, secondsMax: 3_600 });
  assert.equal(request.methods, undefined);
  const bound = { ...integration, methods: ['exec-stream' as const] };
  const narrow = wantedOf(order, { ...caller, integration: bound }, NOW);
  assert.deepEqual(narrow.methods, ['exec-stream'], 'only what the integration may is tried');
});

const FAULTY = [
  [{}, ['target', 'caseId', 'reason']],
  [{ ...GIVEN, surprise: 1 }, ['']],
  [{ ...GIVEN, caseId: '../x' }, ['caseId']],
  [{ ...GIVEN, paths: ['relative'] }, ['paths.0']],
  [{ ...GIVEN, budget: { bytesMax: -1, more: 1 } }, ['budget.bytesMax', 'budget']],
  [{ ...GIVEN, methods: ['telepathy'] }, ['methods.0']],
  [{ ...GIVEN, reason: 'a\u0000b' }, ['reason']],
  [{ ...GIVEN, deadlineSeconds: 1e12 }, ['deadlineSeconds']],
  [null, ['']],
  [[GIVEN], ['']],
] as const;

for (const [body, paths] of FAULTY) {
  test(`the faults of ${JSON.stringify(body)} are named by their paths`, () => {
    assert.throws(
      () => readBody(Order, body),
      (error) => {
        assert.ok(error instanceof Refusal);
        assert.deepEqual(error.errors.map(({ path }) => path).toSorted(), paths.toSorted());
        return true;
      },
    );
  });
}

for (const target of [
  'https://example.com',
  'kubernetes://prod-eu',
  'kubernetes://prod-eu/shop/Cart_1',
  'kubernetes://prod-eu/shop/%E0%A4%A',
  'kubernetes://prod-eu/shop/cart?selector=app%3Dcart',
  'kubernetes://prod-eu/../etc',
]) {
  test(`${target} is no target`, () => {
    const wrong = Order.parse({ ...GIVEN, target });
    assert.throws(
      () => wantedOf(wrong, caller, NOW),
      (error) => error instanceof Refusal && error.errors[0]?.path.startsWith('target') === true,
    );
  });
}
