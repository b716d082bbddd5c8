// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { AcquisitionId, Count, Tenant } from '../ids.ts';
import { question } from '../question.ts';

const Hash = z.base64().length(44);
const Proof = z.object({
  /** Where the leaf stands in the log. */
  index: Count,
  /** From its sibling up to the root's child (RFC 6962 section 2.1.1). */
  path: z.array(Hash).max(64),
});

/** Where the entries of a chain stand in the tree of a size that is under a checkpoint, page by
 * page: ask again with the last `acqSeq` got. An entry that is not in a tree of that size is left
 * out; version 0: there is no such chain. */
export const LedgerProofV1 = question({
  name: 'ledger.proof.v1',
  request: z.object({
    tenant: Tenant,
    acquisitionId: AcquisitionId,
    after: Count,
    /** Entries of the log under the checkpoint that the proofs are to lead to. */
    size: Count,
  }),
  reply: z.object({
    version: Count,
    entries: z.array(Proof.extend({ acqSeq: z.int().min(1) })).max(100),
    /** The leaf of sigsum behind the seal, where that is one of these entries. */
    seal: Proof.extend({ acqSeq: z.int().min(1), leaf: z.base64().length(172) }).optional(),
  }),
  example: {
    request: {
      tenant: 'default',
      acquisitionId: '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01',
      after: 0,
      size: 2,
    },
    reply: {
      version: 1,
      entries: [{ acqSeq: 1, index: 1, path: ['AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='] }],
    },
  },
});
