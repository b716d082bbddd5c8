// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { Actor } from '../actor.ts';
import { type DataOf, event } from '../event.ts';
import { InspectedObject } from '../evidence.ts';
import { text } from '../ids.ts';
import { PolicyDecision } from '../policy.ts';

/** The store was asked again how it holds evidence: versions, sizes, checksums and locks, held
 * against what was on record when they were laid. A lock that was lifted shows before a byte has
 * changed. */
export const EvidenceInspectedV1 = event({
  type: 'evidence.inspected.v1',
  route: () => '_',
  terminal: true,
  shape: z.object({
    inspectedBy: Actor,
    purpose: text(1_024),
    policy: PolicyDecision.optional(),
    objects: z.array(InspectedObject).min(1).max(64),
  }),
  example: {
    inspectedBy: { id: 'lead', kind: 'person', authn: 'bearer-token' },
    purpose: 'monthly inspection',
    objects: [
      {
        key: 'default/0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01/e1/manifest.jsonl',
        sha256: 'c'.repeat(64),
        versionId: '3HL4kqtJlcpXroDTDmJ',
        retention: { mode: 'none' },
        deviations: [
          {
            code: 'lock-lifted',
            because:
              'governance until 2027-11-23T09:15:00.000000Z is on record, and it is not held',
          },
        ],
      },
    ],
  },
});
export type EvidenceInspectedV1 = DataOf<typeof EvidenceInspectedV1>;
