// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { Actor } from '../actor.ts';
import { type DataOf, event } from '../event.ts';
import { Count, EventId, text } from '../ids.ts';
import { PolicyDecision } from '../policy.ts';

/** Somebody wants a callback that was given up sent once more. Said and heard by gateway. */
export const CallbackRequestedV1 = event({
  type: 'callback.requested.v1',
  route: () => '_',
  shape: z.object({
    /** The event that it tells of. */
    about: EventId,
    /** The attempt that is asked for. */
    attempt: Count,
    requestedBy: Actor,
    reason: text(1_024),
    policy: PolicyDecision,
  }),
  example: {
    about: '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01',
    attempt: 9,
    requestedBy: { id: 'lead', kind: 'person', authn: 'bearer-token' },
    reason: 'the receiver works again',
    policy: {
      decision: 'allowed',
      because: 'person lead: it may, within its tenant',
      policies: ['within-its-tenant'],
      policySet: 'e'.repeat(64),
    },
  },
});
export type CallbackRequestedV1 = DataOf<typeof CallbackRequestedV1>;
