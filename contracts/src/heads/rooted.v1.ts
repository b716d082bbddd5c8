// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type DataOf, event } from '../event.ts';
import { Sha256 } from '../ids.ts';

/** The last entries of all chains of the log, below a size, in one hash: where an export leaves out
 * what stands at the end of its chain, this root contradicts it. Said by ledger. */
export const HeadsRootedV1 = event({
  type: 'heads.rooted.v1',
  route: () => '_',
  terminal: true,
  shape: z.object({
    /** Leaves of the log that it is made of: those in front of this index. */
    size: z.int().min(1),
    /** Over as many heads as there are leaves: where a chain begins its last entry, else none. */
    root: Sha256,
    /** How many of these leaves say who signs: a bag that leaves out that a key was retired has
     * fewer. Absent in roots from before it was counted. */
    signers: z.int().min(0).optional(),
  }),
  example: { size: 4_711, root: '3d'.repeat(32), signers: 3 },
});
export type HeadsRootedV1 = DataOf<typeof HeadsRootedV1>;
