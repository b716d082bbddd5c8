// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { Envelope } from '@impound/contracts/envelope.ts';
import { Integration } from '@impound/contracts/integration.ts';
import { Order } from '@impound/contracts/order.ts';
import { timeOf } from '@impound/contracts/time.ts';
import type { Caller } from './caller.ts';
import { readBody, requestOf, sameRequest } from './order.ts';
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
  const request = AcquisitionRequestedV1.shape.parse(requestOf(order, caller, NOW));
  assert.equal(request.deadline, '2026-11-23T10:15:00.000000Z');
  assert.deepEqual(request.budget, { bytesMax: 10_737_418_240, secondsMax: 3_600 });
  assert.equal(request.policy.decision, 'allowed');
  const asked = requestOf(
    order,
    { ...caller, integration: { ...integration, approval: 'always' } },
    NOW,
  );
  assert.equal(asked.policy.decision, 'approval-required');
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
      () => requestOf(wrong, caller, NOW),
      (error) => error instanceof Refusal && error.errors[0]?.path.startsWith('target') === true,
    );
  });
}

const recorded = Envelope.parse({
  specversion: '1.0',
  id: '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01',
  source: '/impound/gateway/gw-1',
  type: AcquisitionRequestedV1.type,
  subject: '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01',
  time: timeOf(NOW + 40),
  datacontenttype: 'application/json',
  tenant: 'default',
  data: requestOf(order, caller, NOW),
});
const CHANGES = [
  [{}, true],
  [{ budget: { secondsMax: 3_600 } }, true],
  [{ deadlineSeconds: 3_601 }, false],
  [{ reason: 'another' }, false],
  [{ paths: ['/etc'] }, false],
  [{ methods: ['exec-stream'] }, false],
  [{ target: 'kubernetes://prod-eu/shop/cart-7f9c/other' }, false],
] as const;

for (const [change, same] of CHANGES) {
  const verdict = same ? 'the same' : 'another';
  test(`an order repeated with ${JSON.stringify(change)} is ${verdict}`, () => {
    const again = Order.parse({ ...GIVEN, ...change });
    assert.equal(sameRequest(recorded, again, requestOf(again, caller, NOW + 90_000)), same);
  });
}
