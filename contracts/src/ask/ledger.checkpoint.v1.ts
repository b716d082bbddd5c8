// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { Count, text } from '../ids.ts';
import { question } from '../question.ts';

const Key = z.string().max(2_048);

const Signed = z.object({
  size: Count,
  /** The signed note under the log's own origin, and under the one that sigsum gives it. */
  own: text(65_536),
  sigsum: text(65_536),
});

/** The newest checkpoint of the log under both its names, the newest that enough witnesses have
 * signed, and the keys and the policy by which they are to be verified. No checkpoint: nothing is
 * signed yet. */
export const LedgerCheckpointV1 = question({
  name: 'ledger.checkpoint.v1',
  request: z.object({}),
  reply: z.object({
    checkpoint: Signed.optional(),
    /** Cosigned by as many as the policy wants; it may be the one above. */
    witnessed: Signed.extend({
      /** How much later the newest one was signed. */
      behindMs: Count,
    }).optional(),
    /** C2SP verifier keys, and the 32 bytes in base64 of who signs seals. */
    keys: z.object({ own: Key, sigsum: Key, submitter: z.base64().length(44) }),
    /** C2SP tlog-policy: whose cosignatures are enough. */
    policy: text(65_536),
  }),
  example: {
    request: {},
    reply: {
      checkpoint: {
        size: 7,
        own: 'ledger.example/1\n7\n…\n',
        sigsum: 'sigsum.org/v1/tree/…\n7\n…\n',
      },
      keys: {
        own: 'ledger.example/1+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
        sigsum: 'sigsum.org/v1/tree/…+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
        submitter: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
      },
      policy: 'quorum none\n',
    },
  },
});
