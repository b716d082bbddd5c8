// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPresets } from '../src/adapters/http-ingest.ts';
import { SAMPLES } from './alert-samples.ts';
import { house, LIMIT, problemOf } from './gateway-in-a-house.ts';

test(
  'every preset makes an order of an alert of its product, first shown and then given',
  LIMIT,
  async (t) => {
    const { post, ledger } = await house(t);
    const tried = new Set(SAMPLES.map(([, preset]) => preset));
    assert.deepEqual([...(await readPresets()).keys()].toSorted(), [...tried].toSorted());
    for (const [what, name, alert, target, uid] of SAMPLES) {
      const place = `/v1/ingest/${name}?cluster=prod-eu`;
      const shown = await post(`${place}&dry-run`, alert);
      assert.equal(shown.status, 200, await shown.clone().text());
      const { order } = (await shown.json()) as {
        order: { target: string; finding: { uid: string } };
      };
      assert.deepEqual([order.target, order.finding.uid], [target, uid], what);
      const given = await post(place, alert);
      assert.equal(given.status, 202, await given.clone().text());
      const { acquisitionId } = (await given.json()) as { acquisitionId: string };
      const { finding } = ledger.chain(acquisitionId)[0]?.event.data ?? {};
      assert.equal((finding as { uid: string }).uid, uid, what);
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
    const [, , alert] = SAMPLES[0] ?? ['', '', {}];
    const odd = { ...alert, output_fields: { 'k8s.ns.name': '../x', 'k8s.pod.name': 'a b' } };
    await problemOf(await post('/v1/ingest/falco?cluster=c', odd), 422, 'order-refused');
    await problemOf(await post('/v1/ingest/falco?surprise=1', alert), 400, 'query-refused');
    const deployed = { kubernetesWorkloadDetails: { name: 'cart', type: 'deployments' } };
    const finding = { detail: { id: 'f', resource: { kubernetesDetails: deployed } } };
    const other = await problemOf(
      await post('/v1/ingest/guardduty', finding),
      422,
      'order-refused',
    );
    assert.match(other.detail, /about something else/);
  },
);
