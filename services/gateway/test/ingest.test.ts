// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPresets } from '../src/adapters/http-ingest.ts';
import { house, LIMIT, problemOf } from './gateway-in-a-house.ts';

const POD = { namespace: 'shop', pod: 'cart-7f9c', container: 'cart' };
const WHOLE = 'kubernetes://prod-eu/shop/cart-7f9c/cart';
const ALERTS: Readonly<Record<string, readonly [object, string, string]>> = {
  falco: [
    {
      uuid: 'f-1',
      rule: 'Terminal shell in container',
      priority: 'Notice',
      output: 'A shell was spawned',
      output_fields: {
        'k8s.ns.name': 'shop',
        'k8s.pod.name': 'cart-7f9c',
        'container.name': 'cart',
      },
    },
    WHOLE,
    'f-1',
  ],
  ocsf: [
    {
      class_uid: 2004,
      message: 'a web shell',
      severity: 'High',
      metadata: { product: { name: 'Scanner' } },
      finding_info: { uid: 'o-1', title: 'Web shell' },
      resources: [{ namespace: 'shop', name: 'cart-7f9c' }],
    },
    'kubernetes://prod-eu/shop/cart-7f9c',
    'o-1',
  ],
  elastic: [
    {
      kubernetes: { namespace: 'shop', pod: { name: 'cart-7f9c' }, container: { name: 'cart' } },
      kibana: { alert: { uuid: 'e-1', reason: 'process event', rule: { name: 'Shell' } } },
    },
    WHOLE,
    'e-1',
  ],
  splunk: [
    { sid: 's-1', search_name: 'Shells', result: { cluster: 'prod-eu', ...POD } },
    WHOLE,
    's-1',
  ],
  sentinel: [
    {
      kubernetes: { cluster: 'prod-eu', ...POD },
      object: { name: 'i-1', properties: { title: 'Shell', incidentNumber: 7, severity: 'High' } },
    },
    WHOLE,
    'i-1',
  ],
  securityhub: [
    {
      detail: {
        findings: [
          {
            Id: 'h-1',
            Title: 'Execution in a pod',
            Types: ['TTPs/Execution'],
            Severity: { Label: 'HIGH' },
            UserDefinedFields: { namespace: 'shop', pod: 'cart-7f9c' },
          },
        ],
      },
    },
    'kubernetes://prod-eu/shop/cart-7f9c',
    'h-1',
  ],
};

test(
  'every preset makes an order of an alert of its product, first shown and then given',
  LIMIT,
  async (t) => {
    const { post, ledger } = await house(t);
    assert.deepEqual([...(await readPresets()).keys()].toSorted(), Object.keys(ALERTS).toSorted());
    for (const [name, [alert, target, uid]] of Object.entries(ALERTS)) {
      const place = `/v1/ingest/${name}?cluster=prod-eu`;
      const shown = await post(`${place}&dry-run`, alert);
      assert.equal(shown.status, 200, await shown.clone().text());
      const { order } = (await shown.json()) as {
        order: { target: string; finding: { uid: string } };
      };
      assert.deepEqual([order.target, order.finding.uid], [target, uid], name);
      const given = await post(place, alert);
      assert.equal(given.status, 202, await given.clone().text());
      const { acquisitionId } = (await given.json()) as { acquisitionId: string };
      const { finding } = ledger.chain(acquisitionId)[0]?.event.data ?? {};
      assert.equal((finding as { uid: string }).uid, uid, name);
      const again = (await (await post(place, alert)).json()) as { acquisitionId: string };
      assert.equal(
        again.acquisitionId,
        acquisitionId,
        'an alert that fires again is the same order',
      );
    }
  },
);

test(
  'an alert that names no container is refused in words, and so is an unknown product',
  LIMIT,
  async (t) => {
    const { post } = await house(t);
    await problemOf(await post('/v1/ingest/nothing', {}), 404, 'not-found');
    const { detail } = await problemOf(await post('/v1/ingest/falco', {}), 422, 'order-refused');
    assert.match(detail, /the alert gives no target/);
    const [alert] = ALERTS['falco'] ?? [{}];
    const odd = { ...alert, output_fields: { 'k8s.ns.name': '../x', 'k8s.pod.name': 'a b' } };
    await problemOf(await post('/v1/ingest/falco?cluster=c', odd), 422, 'order-refused');
    await problemOf(await post('/v1/ingest/falco?surprise=1', alert), 400, 'query-refused');
  },
);
