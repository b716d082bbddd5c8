// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { Actor } from '../actor.ts';
import { type DataOf, event } from '../event.ts';
import { Sha256, text } from '../ids.ts';
import { PolicyDecision } from '../policy.ts';

/** Somebody was given evidence: custody does not end with the seal. Said before the first byte
 * leaves, by whoever hands it out. */
export const EvidenceAccessedV1 = event({
  type: 'evidence.accessed.v1',
  route: () => '_',
  terminal: true,
  shape: z.object({
    accessedBy: Actor,
    purpose: text(1_024),
    policy: PolicyDecision.optional(),
    objects: z
      .array(z.object({ key: text(512), sha256: Sha256 }))
      .min(1)
      .max(64),
  }),
  example: {
    accessedBy: { id: 'lead', kind: 'person', authn: 'bearer-token' },
    purpose: 'analysis',
    objects: [
      {
        key: 'default/0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01/e1/manifest.jsonl',
        sha256: 'c'.repeat(64),
      },
    ],
  },
});
export type EvidenceAccessedV1 = DataOf<typeof EvidenceAccessedV1>;
