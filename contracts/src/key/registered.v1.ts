// SPDX-License-Identifier: Apache-2.0
import { type DataOf, event } from '../event.ts';
import { Signature } from '../ids.ts';
import { LogKey } from '../log-key.ts';

/** From here on another key signs for the log, and the one before has vouched for it. Said by
 * ledger. */
export const KeyRegisteredV1 = event({
  type: 'key.registered.v1',
  route: () => '_',
  terminal: true,
  shape: LogKey.extend({
    /** By the key before it, over successionText(). */
    vouched: Signature,
  }),
  example: {
    role: 'checkpoint',
    publicKey: `${'A'.repeat(43)}=`,
    vouched: `${'A'.repeat(86)}==`,
  },
});
export type KeyRegisteredV1 = DataOf<typeof KeyRegisteredV1>;
