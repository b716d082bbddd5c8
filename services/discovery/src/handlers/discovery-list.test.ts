// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DiscoveryListV1 } from '@impound/contracts/ask/discovery.list.v1.ts';
import { discoveryList } from './discovery-list.ts';

const inventory = {
  clusters: async () => ['prod-eu', 'prod-us', 'test'],
  namespaces: async () => ['kube-system', 'shop'],
  pods: async () => ({
    cut: true,
    pods: [
      {
        namespace: 'shop',
        name: 'cart-1',
        uid: 'u',
        os: 'linux' as const,
        containers: [
          {
            name: 'cart',
            kind: 'container' as const,
            image: 'gcr.io/distroless/cart',
            state: 'running' as const,
            restarts: 2,
          },
        ],
      },
    ],
  }),
};
const ask = (request: object) =>
  discoveryList(
    DiscoveryListV1.request.parse({ tenant: 'default', limit: 2, ...request }),
    { inventory },
    AbortSignal.timeout(280_000),
  );

test('without a name the clusters are listed, and what is left out is told', async () => {
  const { items, gaps } = await ask({});
  assert.deepEqual(
    items.map((item) => item.name),
    ['prod-eu', 'prod-us'],
  );
  assert.match(gaps.join(), /1 more/);
});

test('a cluster has its namespaces, the system ones as well', async () => {
  const { items } = await ask({ cluster: 'prod-eu' });
  assert.deepEqual(
    items.map((item) => item.name),
    ['kube-system', 'shop'],
  );
});

test('a namespace has its containers, each with the URI to acquire it by and its marks', async () => {
  const reply = await ask({ cluster: 'prod-eu', namespace: 'shop' });
  const [item] = DiscoveryListV1.reply.parse(reply).items;
  assert.equal(item?.target, 'kubernetes://prod-eu/shop/cart-1/cart');
  assert.match(item?.marks.join() ?? '', /distroless/);
  assert.match(reply.gaps.join(), /only 2 pods/);
});
