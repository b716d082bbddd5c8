// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Shown } from '../../cli/src/client.ts';
import { followToEnd } from '../../cli/src/commands/follow.ts';
import { ask, stageFor } from './platform.ts';

const container = { name: 'main', image: 'registry.example/shop:1', flavor: 'debian' as const };
const stage = stageFor({
  lab: { namespaces: [{ name: 'shop', pods: [{ name: 'cart', containers: [container] }] }] },
  without: ['executor-kubernetes'],
});

test('who waits for an executor that is not there is told since when, what to do and how to end it', async () => {
  const { client } = stage;
  const acquisitionId = await ask(client, { place: 'shop/cart/main' });
  const told = Promise.withResolvers<string>();
  const printer = {
    json: false,
    line: (text: string) => {
      if (text.startsWith('no executor-')) told.resolve(text);
    },
    doing: () => undefined,
    value: () => undefined,
    error: () => undefined,
  };
  const end = followToEnd(client, acquisitionId, printer);
  const line = await told.promise;
  const { status, waiting } = await client.get<Shown>(`/v1/acquisitions/${acquisitionId}`);
  assert.equal(status, 'assigned');
  assert.match(
    String(waiting),
    /^no executor-kubernetes has answered since \d{4}-\S+: start one, .* until \d{4}-\S+, unless/,
  );
  assert.equal(line, `${waiting}: impound cancel ${acquisitionId} --reason R`);
  await client.post(`/v1/acquisitions/${acquisitionId}/cancel`, { reason: 'nobody is there' });
  assert.equal((await end).status, 'cancelled');
  const after = await client.get<Shown>(`/v1/acquisitions/${acquisitionId}`);
  assert.equal(after['waiting'], undefined);
});
