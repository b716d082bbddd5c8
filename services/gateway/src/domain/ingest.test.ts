// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { orderFrom, Preset } from './ingest.ts';
import { Refusal } from './problem.ts';

const PRESET = Preset.parse({
  about: 'a product',
  target: [
    'kubernetes://{?cluster}/{/a~1b/ns}/{/pods/0/name}/{/c}',
    'kubernetes://{?cluster}/x/{/c}',
  ],
  caseId: ['{?case}', 'p-{/rule}'],
  reason: ['P: {/rule}'],
  finding: { uid: ['{/uid}'], severity: ['{/level}'] },
});
const ALERT = { 'a/b': { ns: 'shop' }, pods: [{ name: 'cart' }], c: 'main', rule: 'A b/c', uid: 7 };

test('of several templates the first that can be filled is taken', () => {
  const order = orderFrom(PRESET, ALERT, { cluster: 'prod' });
  assert.deepEqual(order, {
    target: 'kubernetes://prod/shop/cart/main',
    caseId: 'p-A-b-c',
    reason: 'P: A b/c',
    finding: { uid: '7' },
  });
  const other = orderFrom(PRESET, { ...ALERT, pods: [] }, { cluster: 'prod', case: 'IR-1' });
  assert.deepEqual(
    [(other as { target: string }).target, (other as { caseId: string }).caseId],
    ['kubernetes://prod/x/main', 'IR-1'],
  );
});

test('what is missing is named, with the place where it was looked for', () => {
  for (const [alert, query] of [
    [{}, { cluster: 'prod' }],
    [ALERT, {}],
    [null, {}],
    ['text', {}],
    [{ ...ALERT, uid: { nested: true } }, { cluster: 'prod' }],
  ] as const) {
    assert.throws(
      () => orderFrom(PRESET, alert, query),
      (error) => error instanceof Refusal && /the alert gives no /.test(error.message),
    );
  }
});

test('nothing in an alert becomes another part of the target', () => {
  fc.assert(
    fc.property(fc.string(), (name) => {
      fc.pre(name !== '');
      const alert = { ...ALERT, pods: [{ name }] };
      const { target } = orderFrom(PRESET, alert, { cluster: 'prod' }) as { target: string };
      assert.equal(target.split('/').length, 6);
      assert.ok(!/[?#]/.test(target));
    }),
  );
});

test('what an object only inherits is not in the alert', () => {
  const preset = { ...PRESET, reason: ['{/constructor/name}'] };
  assert.throws(() => orderFrom(preset, ALERT, { cluster: 'prod' }), /gives no reason/);
});

test('a value that the product does not know is none, and other things than asked for are refused', () => {
  const preset = { ...PRESET, nothing: ['<NA>'], only: { '/kind': 'pods' } };
  const query = { cluster: 'prod' };
  const alert = { ...ALERT, kind: 'pods', pods: [{ name: '<NA>' }] };
  const { target } = orderFrom(preset, alert, query) as { target: string };
  assert.equal(target, 'kubernetes://prod/x/main');
  const refused = { name: 'Refusal', message: /something else: \/kind is not pods/ };
  assert.throws(() => orderFrom(preset, { ...alert, kind: 'deployments' }, query), refused);
});

test('JSON in a text is looked into, and a text that is none has nothing in it', () => {
  const preset = { ...PRESET, target: ['kubernetes://{?cluster}/x/{/details/pod/0}'] };
  const order = (details: string) => orderFrom(preset, { ...ALERT, details }, { cluster: 'prod' });
  const { target } = order('{"pod":["cart"]}') as { target: string };
  assert.equal(target, 'kubernetes://prod/x/cart');
  assert.throws(() => order('{"pod":'), /the alert gives no target/);
});
