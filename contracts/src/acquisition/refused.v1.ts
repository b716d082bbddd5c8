// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { Actor } from '../actor.ts';
import { type DataOf, event } from '../event.ts';
import { Code, text } from '../ids.ts';
import { PolicyDecision } from '../policy.ts';

/** A second person refuses what was requested. Said by gateway; it ends the acquisition. */
export const AcquisitionRefusedV1 = event({
  type: 'acquisition.refused.v1',
  route: () => '_',
  ends: true,
  terminal: true,
  shape: z.object({
    refusedBy: Actor,
    code: Code,
    reason: text(1_024),
    policy: PolicyDecision.optional(),
  }),
  example: {
    refusedBy: { id: 'lead', kind: 'person', authn: 'bearer-token' },
    code: 'not-approved',
    reason: 'a known load test',
  },
});
export type AcquisitionRefusedV1 = DataOf<typeof AcquisitionRefusedV1>;
