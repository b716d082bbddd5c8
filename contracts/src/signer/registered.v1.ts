// SPDX-License-Identifier: Apache-2.0
import { type DataOf, event } from '../event.ts';
import { text } from '../ids.ts';
import { Signer } from '../signer.ts';

/** From here on a service signs what it captures and stores by this key, and what is not signed is
 * not taken from it. Said by ledger, in the chain in which the log speaks of itself. */
export const SignerRegisteredV1 = event({
  type: 'signer.registered.v1',
  route: () => '_',
  terminal: true,
  shape: Signer.extend({ service: text(64) }),
  example: { service: 'executor-kubernetes', publicKey: `${'A'.repeat(43)}=` },
});
export type SignerRegisteredV1 = DataOf<typeof SignerRegisteredV1>;
