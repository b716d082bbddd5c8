// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { AcquisitionId, Count, Sha256, Tenant } from '../ids.ts';
import { question } from '../question.ts';

/** A chain, entry by entry, each as the exact text that was hashed; version 0: there is none.
 * A reply holds at most HISTORY_BYTES_MAX; ask again with the last version got. */
export const LedgerHistoryV1 = question({
  name: 'ledger.history.v1',
  request: z.object({ tenant: Tenant, acquisitionId: AcquisitionId, after: Count }),
  reply: z.object({
    version: Count,
    entries: z.array(z.object({ seq: Count, hash: Sha256, text: z.string() })).max(1_000),
  }),
  example: {
    request: { tenant: 'default', acquisitionId: '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01', after: 0 },
    reply: { version: 0, entries: [] },
  },
});
