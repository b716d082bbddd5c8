// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { Actor } from '../actor.ts';
import { type DataOf, event } from '../event.ts';
import { Finding } from '../finding.ts';
import { CaseId, Count, Sha256, Time, text } from '../ids.ts';
import { Method, Profile } from '../methods.ts';
import { PolicyDecision } from '../policy.ts';
import { Target } from '../target.ts';

/** Somebody asks for one container to be collected. Said by gateway; it begins the chain. */
export const AcquisitionRequestedV1 = event({
  type: 'acquisition.requested.v1',
  route: () => '_',
  begins: true,
  shape: z.object({
    caseId: CaseId,
    target: Target,
    /**
     * What to gather; `paths` are files or trees beyond the profile, absolute, in the container.
     */
    profile: Profile,
    paths: z.array(text(4_096).startsWith('/')).max(64),
    /** The only methods allowed, tried in this order; absent: every method that can work. */
    methods: z.array(Method).min(1).max(7).optional(),
    reason: text(1_024),
    requestedBy: Actor,
    /** The person or the finding that made the requester ask, in its own words. */
    onBehalfOf: text(256).optional(),
    finding: Finding.optional(),
    policy: PolicyDecision,
    /** SHA-256 of the order as it was given: by it a repeat is known to be the same. */
    fingerprint: Sha256.optional(),
    /** The acquisition expires when it has not ended by then. */
    deadline: Time,
    /** The most that one execution may take from the target. */
    budget: z.object({ bytesMax: Count, secondsMax: Count }),
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
    profile: 'triage',
    paths: ['/srv/www'],
    reason: 'Falco: a shell was started in a web server',
    requestedBy: { id: 'siem', kind: 'integration', authn: 'bearer-token' },
    policy: {
      decision: 'allowed',
      because: 'integration siem: it may acquire without a second person',
      policies: ['within-its-tenant'],
      policySet: 'e'.repeat(64),
    },
    deadline: '2026-11-23T10:15:00.000000Z',
    budget: { bytesMax: 10_737_418_240, secondsMax: 3_600 },
  },
});
export type AcquisitionRequestedV1 = DataOf<typeof AcquisitionRequestedV1>;
