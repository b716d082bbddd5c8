// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { Actor } from '../actor.ts';
import { type DataOf, event } from '../event.ts';
import { Count, text } from '../ids.ts';
import { PolicyDecision } from '../policy.ts';

/** Somebody wanted to decide on an acquisition, or to have its evidence, and may not. Said by
 * gateway. */
export const PermissionDeniedV1 = event({
  type: 'permission.denied.v1',
  route: () => '_',
  terminal: true,
  shape: z.object({
    action: z.enum([
      'approve',
      'refuse',
      'cancel',
      'call-back',
      'read-evidence',
      'inspect-evidence',
    ]),
    reason: text(1_024),
    deniedTo: Actor,
    policy: PolicyDecision,
    /** How many denials of the same requester before this one were counted and not recorded. */
    suppressed: Count,
  }),
  example: {
    action: 'read-evidence',
    reason: 'analysis',
    deniedTo: { id: 'siem', kind: 'integration', authn: 'bearer-token', credential: 'key-1' },
    policy: {
      decision: 'denied',
      because: 'integration siem: it may not read evidence',
      policies: ['evidence-for-readers'],
      policySet: 'e'.repeat(64),
    },
    suppressed: 0,
  },
});
export type PermissionDeniedV1 = DataOf<typeof PermissionDeniedV1>;
