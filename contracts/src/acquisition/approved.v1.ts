// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { Actor } from '../actor.ts';
import { type DataOf, event } from '../event.ts';
import { text } from '../ids.ts';
import { PolicyDecision } from '../policy.ts';

/** A second person allows what was requested. Said by gateway, heard by coordinator. */
export const AcquisitionApprovedV1 = event({
  type: 'acquisition.approved.v1',
  route: () => '_',
  shape: z.object({ approvedBy: Actor, reason: text(1_024), policy: PolicyDecision.optional() }),
  example: {
    approvedBy: { id: 'lead', kind: 'person', authn: 'bearer-token' },
    reason: 'confirmed with the shop team',
  },
});
export type AcquisitionApprovedV1 = DataOf<typeof AcquisitionApprovedV1>;
