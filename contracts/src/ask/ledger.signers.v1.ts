// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { Count } from '../ids.ts';
import { question } from '../question.ts';

/** Which services sign what they say, by which keys: the entries that put these on record or took
 * them back, in the order of the log, with their proofs. */
export const LedgerSignersV1 = question({
  name: 'ledger.signers.v1',
  request: z.object({
    /** Of the checkpoint that the proofs are to lead to. */
    size: Count,
    /** The index behind which to go on. */
    after: Count.optional(),
  }),
  reply: z.object({
    entries: z
      .array(
        z.object({
          index: Count,
          entry: z.string().max(65_535),
          /** From the leaf's sibling up to the root's child (RFC 6962 section 2.1.1). */
          path: z.array(z.base64().length(44)).max(64),
        }),
      )
      .max(32),
    /** True where there are more behind the last of these. */
    more: z.boolean(),
  }),
  example: { request: { size: 12 }, reply: { entries: [], more: false } },
});
