// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { Count, text } from '../ids.ts';
import { question } from '../question.ts';

const Stamped = z.object({
  index: Count,
  /** From the leaf's sibling up to the root's child (RFC 6962 section 2.1.1). */
  path: z.array(z.base64().length(44)).max(64),
  /** The checkpoint that was stamped, byte for byte. */
  note: text(65_536),
  /** The DER of the authority's whole answer (RFC 3161). */
  token: z.base64().max(90_000),
});

/** Between which two tokens of an authority of time entries of the log lie: `after` is on record in
 * front of the first of them, `before` was given for a tree that has the last of them. Either is
 * absent where there is none. */
export const LedgerStampsV1 = question({
  name: 'ledger.stamps.v1',
  request: z.object({
    /** Indexes of the first and the last entry. */
    first: Count,
    last: Count,
    /** Of the checkpoint that the proof of `after` is to lead to. */
    size: Count,
  }),
  reply: z.object({
    /** The entry that holds the token's digest, with its proof. */
    after: Stamped.extend({ entry: z.string().max(65_535) }).optional(),
    /** The proof of the last entry, under the stamped note. */
    before: Stamped.optional(),
    /** By which the authority is to be known, in PEM, as the ledger knows it. */
    certificates: text(65_536).optional(),
  }),
  example: { request: { first: 3, last: 9, size: 12 }, reply: {} },
});
