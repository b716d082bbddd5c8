// SPDX-License-Identifier: Apache-2.0
import { type DataOf, event } from '../event.ts';
import { LogKey } from '../log-key.ts';

/** A key of the log signs nothing any more: no checkpoint of a larger size is its own. Said by
 * ledger. */
export const KeyRetiredV1 = event({
  type: 'key.retired.v1',
  route: () => '_',
  terminal: true,
  shape: LogKey,
  example: { role: 'checkpoint', publicKey: `${'A'.repeat(43)}=` },
});
export type KeyRetiredV1 = DataOf<typeof KeyRetiredV1>;
