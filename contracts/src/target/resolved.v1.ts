// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type DataOf, event } from '../event.ts';
import { CaseId, Count, openWords, Time, text } from '../ids.ts';
import { FoundTarget } from '../target.ts';

/** The container as discovery found it, before anything touched it. Said by discovery, heard by
 * rbac-checker, by coordinator, and by discovery itself, which captures its context then. */
export const TargetResolvedV1 = event({
  type: 'target.resolved.v1',
  route: () => '_',
  shape: z.object({
    caseId: CaseId,
    target: FoundTarget,
    container: z.object({
      podUid: text(64),
      containerId: text(256).optional(),
      image: text(512),
      imageDigest: text(256).optional(),
      kind: z.enum(['container', 'init', 'ephemeral']),
      state: openWords(['waiting', 'running', 'terminated']),
      restarts: Count,
      startedAt: Time.optional(),
      node: text(253).optional(),
      runtime: text(128).optional(),
      os: openWords(['linux', 'windows']),
      /** The numeric user of the container's security context, where it is written down. */
      user: Count.optional(),
      /** Nothing was run to find out: 'unlikely' where the image's name says that it has none. */
      shell: openWords(['likely', 'unlikely']),
    }),
  }),
  example: {
    caseId: 'IR-2026-017',
    target: {
      kind: 'kubernetes',
      cluster: 'prod-eu',
      namespace: 'shop',
      pod: 'cart-7f9c',
      container: 'cart',
    },
    container: {
      podUid: '3c2f3b1e-8a45-4f1a-9d0c-0f6f5b8a1c11',
      containerId: 'containerd://4f1d2a',
      image: 'registry.example/shop/cart:1.4',
      imageDigest: `sha256:${'e'.repeat(64)}`,
      kind: 'container',
      state: 'running',
      restarts: 0,
      startedAt: '2026-11-20T08:00:00.000000Z',
      node: 'node1',
      runtime: 'containerd://1.6.20',
      os: 'linux',
      user: 0,
      shell: 'likely',
    },
  },
});
export type TargetResolvedV1 = DataOf<typeof TargetResolvedV1>;
