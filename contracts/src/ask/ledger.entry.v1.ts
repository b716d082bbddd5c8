// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { AcquisitionId, EventId, Tenant } from '../ids.ts';
import { question } from '../question.ts';

/** Where an event stands, by its id: how a repeat finds what the first one began. */
export const LedgerEntryV1 = question({
  name: 'ledger.entry.v1',
  request: z.object({ tenant: Tenant, eventId: EventId }),
  reply: z.object({
    /** Absent: the tenant has no such event. */
    acquisitionId: AcquisitionId.optional(),
    /** The entry as the exact text that was hashed. */
    text: z.string().optional(),
  }),
  example: {
    request: { tenant: 'default', eventId: '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01' },
    reply: {},
  },
});
