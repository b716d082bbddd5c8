// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { Actor } from '../actor.ts';
import { type DataOf, event } from '../event.ts';
import { CaseId, Count, text } from '../ids.ts';
import { Method, Profile } from '../methods.ts';
import { PolicyDecision } from '../policy.ts';
import { Target } from '../target.ts';

/** A request that the policies deny: a chain that ends where it begins, and touches nothing. Said
 * by gateway. */
export const AcquisitionDeniedV1 = event({
  type: 'acquisition.denied.v1',
  route: () => '_',
  begins: true,
  ends: true,
  terminal: true,
  shape: z.object({
    caseId: CaseId,
    target: Target,
    profile: Profile,
    methods: z.array(Method).min(1).max(7).optional(),
    reason: text(1_024),
    deniedTo: Actor,
    policy: PolicyDecision,
    /** How many denials of the same requester before this one were counted and not recorded. */
    suppressed: Count,
  }),
  example: {
    caseId: 'IR-2026-017',
    target: { kind: 'kubernetes', cluster: 'prod-eu', namespace: 'payments', pod: 'till-5d8f' },
    profile: 'triage',
    reason: 'Falco: a shell was started in a web server',
    deniedTo: { id: 'siem', kind: 'integration', authn: 'bearer-token', credential: 'key-1' },
    policy: {
      decision: 'denied',
      because: 'integration siem: the namespace is not one of its own',
      policies: ['namespace-of-its-own'],
      policySet: 'e'.repeat(64),
    },
    suppressed: 0,
  },
});
export type AcquisitionDeniedV1 = DataOf<typeof AcquisitionDeniedV1>;
