// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { AcquisitionId, Count, Tenant, text } from '../ids.ts';
import { question } from '../question.ts';

/** The chains that have not ended, oldest first, optionally of one target. */
export const LedgerOpenV1 = question({
  name: 'ledger.open.v1',
  request: z.object({
    tenant: Tenant.optional(),
    /** formatTarget() of the target. */
    target: text(2_048).optional(),
    /** The id of who asked for it. */
    actor: text(128).optional(),
    /** Only chains that began after this seq: the keyset for the next page. */
    after: z.int().min(-1),
    limit: z.int().min(1).max(1_000),
  }),
  reply: z.object({
    chains: z.array(
      z.object({ tenant: Tenant, acquisitionId: AcquisitionId, seq: Count, version: Count }),
    ),
  }),
  example: {
    request: { after: -1, limit: 500 },
    reply: {
      chains: [
        {
          tenant: 'default',
          acquisitionId: '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01',
          seq: 0,
          version: 5,
        },
      ],
    },
  },
});
