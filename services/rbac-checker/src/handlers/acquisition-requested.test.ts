// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { acquisitionRequested } from './acquisition-requested.ts';

const data = AcquisitionRequestedV1.shape.parse(AcquisitionRequestedV1.example);

function heard(target: object) {
  const seen: unknown[] = [];
  const foresight = { foresee: (...given: unknown[]) => void seen.push(given.slice(0, 2)) };
  const message = { acquisitionId: 'a', data: { ...data, target } } as unknown as Parameters<
    typeof acquisitionRequested
  >[0];
  return { seen, said: acquisitionRequested(message, { foresight, ephemeral: true }) };
}

test('the rights on a pod that is named are asked for before it is found', async () => {
  const { seen, said } = heard(data.target);
  const { cluster, namespace, pod } = data.target;
  assert.deepEqual(seen, [['a', { cluster, namespace, pod }]]);
  assert.equal(await said, undefined);
});

test('where a selector stands in for a name, nobody knows yet what to ask for', async () => {
  const { seen, said } = heard({ kind: 'kubernetes', cluster: 'c', namespace: 'n', selector: 'a' });
  assert.deepEqual(seen, []);
  assert.equal(await said, undefined);
});
