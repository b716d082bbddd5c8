// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { Actor } from '../actor.ts';
import { type DataOf, event } from '../event.ts';
import { Finding } from '../finding.ts';
import { Sha256, text } from '../ids.ts';
import { PolicyDecision } from '../policy.ts';

/** Another finding asks for what this acquisition gathers already: it is on record here, and begins
 * nothing. Said by gateway. */
export const AcquisitionTriggeredV1 = event({
  type: 'acquisition.triggered.v1',
  route: () => '_',
  terminal: true,
  shape: z.object({
    triggeredBy: Actor,
    reason: text(1_024),
    onBehalfOf: text(256).optional(),
    finding: Finding.optional(),
    policy: PolicyDecision,
    /** SHA-256 of the order as it was given. */
    fingerprint: Sha256,
  }),
  example: {
    triggeredBy: { id: 'siem', kind: 'integration', authn: 'webhook', credential: 'key-1' },
    reason: 'Falco: a package manager was started in a container',
    finding: { uid: 'falco-4712', product: 'falco', severity: 'error' },
    policy: {
      decision: 'allowed',
      because: 'integration siem: it may acquire without a second person',
    },
    fingerprint: 'f'.repeat(64),
  },
});
export type AcquisitionTriggeredV1 = DataOf<typeof AcquisitionTriggeredV1>;
