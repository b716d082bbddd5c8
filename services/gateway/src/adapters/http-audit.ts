// SPDX-License-Identifier: Apache-2.0
import { AuditFilter } from '@impound/contracts/audit.ts';
import { text } from '@impound/contracts/ids.ts';
import * as z from 'zod';
import type { Caller } from '../domain/caller.ts';
import { AUDIT_DEFAULT, AUDIT_MAX } from '../domain/limits.ts';
import { readQuery } from './http-acquisitions.ts';
import type { Route } from './http-server.ts';

/** Which entries, from where on, and what they are wanted for: it goes on record. */
export const AuditQuery = AuditFilter.extend({
  after: z.coerce.number().int().min(-1).default(-1),
  limit: z.coerce.number().int().min(1).max(AUDIT_MAX).default(AUDIT_DEFAULT),
  purpose: text(1_024),
});

/** Records the reading and gives the page. Throws Refusal. */
export type Auditing = (audit: {
  readonly caller: Caller;
  readonly filter: AuditFilter;
  readonly after: number;
  readonly limit: number;
  readonly purpose: string;
}) => Promise<object>;

/** The log of a tenant for its auditors, page by page; each page is on record before it leaves. */
export function auditRoute(auditing: Auditing): Route {
  return {
    method: 'GET',
    path: '/v1/audit',
    gives: 'application/json',
    leaves: true,
    answer: async (request) => {
      const { after, limit, purpose, ...filter } = readQuery(AuditQuery, request);
      const { caller } = request.var;
      return request.json(await auditing({ caller, filter, after, limit, purpose }));
    },
  };
}
