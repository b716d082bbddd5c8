// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { Count, Tenant, text } from '../ids.ts';
import { question } from '../question.ts';

/** What there is to acquire: clusters; namespaces of a cluster; containers of a namespace or of
 * a selector. Nothing is hidden; `marks` say what can be done about the odd ones. */
export const DiscoveryListV1 = question({
  name: 'discovery.list.v1',
  request: z.object({
    tenant: Tenant,
    cluster: text(256).optional(),
    namespace: text(63).optional(),
    selector: text(512).optional(),
    limit: z.int().min(1).max(500),
  }),
  reply: z.object({
    items: z.array(
      z.object({
        kind: z.enum(['cluster', 'namespace', 'container']),
        name: text(256),
        /** The URI to acquire it by, for a container. */
        target: text(2_048).optional(),
        image: text(512).optional(),
        state: text(64).optional(),
        node: text(253).optional(),
        restarts: Count.optional(),
        marks: z.array(text(256)).max(8),
      }),
    ),
    gaps: z.array(text(512)).max(16),
  }),
  example: {
    request: { tenant: 'default', cluster: 'prod-eu', namespace: 'shop', limit: 100 },
    reply: {
      items: [
        {
          kind: 'container',
          name: 'cart-7f9c/cart',
          target: 'kubernetes://prod-eu/shop/cart-7f9c/cart',
          image: 'registry.example/shop/cart:1.4',
          state: 'running',
          marks: [],
        },
      ],
      gaps: [],
    },
  },
});
