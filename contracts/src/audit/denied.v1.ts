// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { Actor } from '../actor.ts';
import { AuditFilter } from '../audit.ts';
import { type DataOf, event } from '../event.ts';
import { CaseId, Count, text } from '../ids.ts';
import { PolicyDecision } from '../policy.ts';

/** Somebody wanted to read the log and may not: a chain of one entry. Said by gateway. */
export const AuditDeniedV1 = event({
  type: 'audit.denied.v1',
  route: () => '_',
  begins: true,
  ends: true,
  terminal: true,
  shape: z.object({
    caseId: CaseId.optional(),
    filter: AuditFilter,
    reason: text(1_024),
    deniedTo: Actor,
    policy: PolicyDecision,
    /** How many denials of the same requester before this one were counted and not recorded. */
    suppressed: Count,
  }),
  example: {
    filter: {},
    reason: 'curious',
    deniedTo: { id: 'siem', kind: 'integration', authn: 'bearer-token', credential: 'key-1' },
    policy: {
      decision: 'denied',
      because: 'integration siem: it may not read the log',
      policies: ['audit-for-auditors'],
      policySet: 'e'.repeat(64),
    },
    suppressed: 0,
  },
});
export type AuditDeniedV1 = DataOf<typeof AuditDeniedV1>;
