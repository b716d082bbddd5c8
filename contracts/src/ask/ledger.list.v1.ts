// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { AcquisitionId, CaseId, Count, Tenant, Time } from '../ids.ts';
import { question } from '../question.ts';

/** Acquisitions of a tenant, newest first, each with its length and the type of its last entry. */
export const LedgerListV1 = question({
  name: 'ledger.list.v1',
  request: z.object({
    tenant: Tenant,
    caseId: CaseId.optional(),
    before: Count.optional(),
    limit: z.int().min(1).max(200),
  }),
  reply: z.object({
    acquisitions: z.array(
      z.object({
        acquisitionId: AcquisitionId,
        caseId: CaseId,
        target: z.string(),
        seq: Count,
        version: Count,
        requestedAt: Time,
        lastAt: Time,
        /** The type of the event that ended it; absent while it is open. */
        ended: z.string().optional(),
      }),
    ),
  }),
  example: {
    request: { tenant: 'default', limit: 50 },
    reply: {
      acquisitions: [
        {
          acquisitionId: '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01',
          caseId: 'IR-2026-017',
          target: 'kubernetes://prod-eu/shop/cart-7f9c/cart',
          seq: 0,
          version: 8,
          requestedAt: '2026-11-23T09:15:00.000000Z',
          lastAt: '2026-11-23T09:15:12.000000Z',
          ended: 'acquisition.sealed.v1',
        },
      ],
    },
  },
});
