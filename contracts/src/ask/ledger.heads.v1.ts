// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { AcquisitionId, Count, Sha256, Tenant } from '../ids.ts';
import { question } from '../question.ts';

const Path = z.array(z.base64().length(44)).max(64);

/** Which entry was the last of a chain by the newest root over the heads of all chains that stands
 * below a checkpoint. Absent: no root stands there yet, or the chain began behind it. */
export const LedgerHeadsV1 = question({
  name: 'ledger.heads.v1',
  request: z.object({
    tenant: Tenant,
    acquisitionId: AcquisitionId,
    /** Of the checkpoint that the proof of the root is to lead to. */
    size: Count,
  }),
  reply: z.object({
    /** How long the chain is now; 0: there is no such chain. */
    version: Count,
    /** The entry that holds the root, and its proof under the checkpoint. */
    rooted: z.object({ index: Count, path: Path, entry: z.string().max(65_535) }).optional(),
    /** The last entry of the chain by that root, and the path from its head up to the root. */
    head: z
      .object({
        /** Where the chain begins in the log. */
        index: Count,
        acqSeq: z.int().min(1),
        /** The leaf hash of that last entry. */
        last: Sha256,
        path: Path,
      })
      .optional(),
  }),
  example: {
    request: {
      tenant: 'default',
      acquisitionId: '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01',
      size: 12,
    },
    reply: { version: 3 },
  },
});
