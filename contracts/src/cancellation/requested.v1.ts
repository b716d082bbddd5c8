// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { Actor } from '../actor.ts';
import { type DataOf, event } from '../event.ts';
import { text } from '../ids.ts';
import { PolicyDecision } from '../policy.ts';

/** Somebody wants the acquisition stopped. Said by gateway, heard by coordinator. */
export const CancellationRequestedV1 = event({
  type: 'cancellation.requested.v1',
  route: () => '_',
  shape: z.object({ requestedBy: Actor, reason: text(1_024), policy: PolicyDecision.optional() }),
  example: {
    requestedBy: { id: 'lead', kind: 'person', authn: 'bearer-token' },
    reason: 'wrong pod',
  },
});
export type CancellationRequestedV1 = DataOf<typeof CancellationRequestedV1>;
