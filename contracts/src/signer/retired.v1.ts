// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type DataOf, event } from '../event.ts';
import { PublicKey, text } from '../ids.ts';

/** A key of a service signs nothing any more: what is recorded behind this is not its word. Said by
 * ledger. */
export const SignerRetiredV1 = event({
  type: 'signer.retired.v1',
  route: () => '_',
  terminal: true,
  shape: z.object({ service: text(64), publicKey: PublicKey }),
  example: { service: 'executor-kubernetes', publicKey: `${'A'.repeat(43)}=` },
});
export type SignerRetiredV1 = DataOf<typeof SignerRetiredV1>;
