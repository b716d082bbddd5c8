// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { Actor } from '../actor.ts';
import { AuditFilter } from '../audit.ts';
import { type DataOf, event } from '../event.ts';
import { CaseId, Count, text } from '../ids.ts';
import { PolicyDecision } from '../policy.ts';

/** Somebody was given a page of the log: a chain of one entry. Said by gateway, before the page
 * leaves. */
export const AuditReadV1 = event({
  type: 'audit.read.v1',
  route: () => '_',
  begins: true,
  ends: true,
  terminal: true,
  shape: z.object({
    /** The case that was asked about, where it was one. */
    caseId: CaseId.optional(),
    readBy: Actor,
    purpose: text(1_024),
    policy: PolicyDecision,
    filter: AuditFilter,
    /** True: entries of every tenant were given; absent: the reader's own, and the log's. */
    allTenants: z.boolean().optional(),
    /** The page begins after this index; -1: at the beginning of the log. */
    after: z.int().min(-1),
    /** Entries in the log when it was read. */
    size: Count,
    /** How many were given. */
    entries: Count,
  }),
  example: {
    caseId: 'IR-2026-017',
    readBy: { id: 'auditor', kind: 'person', authn: 'bearer-token' },
    purpose: 'review of the quarter',
    policy: {
      decision: 'allowed',
      because: 'person auditor: it may, within its tenant',
      policies: ['within-its-tenant'],
      policySet: 'e'.repeat(64),
    },
    filter: { caseId: 'IR-2026-017', type: 'evidence.accessed.v1' },
    after: -1,
    size: 4_711,
    entries: 3,
  },
});
export type AuditReadV1 = DataOf<typeof AuditReadV1>;
