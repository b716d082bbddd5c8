// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type DataOf, event } from '../event.ts';
import { Count, Sha256, text } from '../ids.ts';

/** An authority of time has stamped a checkpoint, and the log holds the token by its digest: what
 * is below that checkpoint is older than the token, what comes behind this entry is younger. Said
 * by ledger. */
export const CheckpointStampedV1 = event({
  type: 'checkpoint.stamped.v1',
  route: () => '_',
  terminal: true,
  shape: z.object({
    /** Leaves below the checkpoint. */
    size: Count,
    /** Of the signed note that was stamped, byte for byte. */
    noteSha256: Sha256,
    /** Of the DER of the authority's whole answer (RFC 3161 TimeStampResp). */
    tokenSha256: Sha256,
    /** Who was asked; who has stamped is in the token. */
    authority: text(256),
  }),
  example: {
    size: 4_711,
    noteSha256: '1f'.repeat(32),
    tokenSha256: '2e'.repeat(32),
    authority: 'timestamp.example.org',
  },
});
export type CheckpointStampedV1 = DataOf<typeof CheckpointStampedV1>;
