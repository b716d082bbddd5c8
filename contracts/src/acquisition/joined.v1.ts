// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type DataOf, event } from '../event.ts';
import { AcquisitionId, text } from '../ids.ts';

/** The same container is already being acquired for the same things: this request shares that
 * result. Said by coordinator; it ends this chain, not the other. */
export const AcquisitionJoinedV1 = event({
  type: 'acquisition.joined.v1',
  route: () => '_',
  ends: true,
  terminal: true,
  shape: z.object({ joins: AcquisitionId, because: text(512) }),
  example: {
    joins: '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01',
    because:
      'kubernetes://prod-eu/shop/cart-7f9c/cart is being acquired since 2026-11-23T09:15:00Z',
  },
});
export type AcquisitionJoinedV1 = DataOf<typeof AcquisitionJoinedV1>;
