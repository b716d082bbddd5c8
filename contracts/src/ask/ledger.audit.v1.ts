// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { AuditFilter } from '../audit.ts';
import { Count, Sha256, Tenant, text } from '../ids.ts';
import { question } from '../question.ts';

/** Entries of a tenant that fit a filter, in the order of the log, page by page. A page may be
 * empty and not the last: the ledger looks at a bounded part of the log for each. */
export const LedgerAuditV1 = question({
  name: 'ledger.audit.v1',
  request: z.object({
    tenant: Tenant,
    filter: AuditFilter,
    /** True: with the entries of the log itself (its keys, stamps, guards), which are nobody's. */
    withLog: z.boolean().optional(),
    /** True: with the entries of every tenant. */
    allTenants: z.boolean().optional(),
    /** Only entries after this index: the keyset; -1 begins. */
    after: z.int().min(-1),
    limit: z.int().min(1).max(1_000),
  }),
  reply: z.object({
    /** Entries in the log when it was read. */
    size: Count,
    /** The newest checkpoint then, a signed note; absent: there is none yet. */
    checkpoint: text(8_192).optional(),
    entries: z
      .array(
        z.object({
          ...{ seq: Count, hash: Sha256, text: z.string() },
          /** In base64, of what is no text: a leaf that vouches for a seal is the log's own. */
          bytes: z.base64().optional(),
        }),
      )
      .max(1_000),
    /** The `after` of the next page; absent: there is no more. */
    next: Count.optional(),
  }),
  example: {
    request: { tenant: 'default', filter: { caseId: 'IR-2026-017' }, after: -1, limit: 200 },
    reply: { size: 4_711, entries: [] },
  },
});
