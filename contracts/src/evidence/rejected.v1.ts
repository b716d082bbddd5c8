// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type DataOf, event } from '../event.ts';
import { Code, Epoch, text } from '../ids.ts';

/** The store does not hold what was captured. Said by uploader, heard by coordinator, which has it
 * captured again. */
export const EvidenceRejectedV1 = event({
  type: 'evidence.rejected.v1',
  route: () => '_',
  shape: z.object({ epoch: Epoch, code: Code, because: text(1_024) }),
  example: {
    epoch: 1,
    code: 'digest-mismatch',
    because: 'e1/evidence.tar.zst reads back with another SHA-256',
  },
});
export type EvidenceRejectedV1 = DataOf<typeof EvidenceRejectedV1>;
