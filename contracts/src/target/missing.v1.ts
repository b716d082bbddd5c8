// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type DataOf, event } from '../event.ts';
import { text } from '../ids.ts';
import { Target } from '../target.ts';

/** The target cannot be found or told apart. Said by discovery, heard by coordinator, and by
 * rbac-checker, which tells of every right that is missing where the first one is. */
export const TargetMissingV1 = event({
  type: 'target.missing.v1',
  route: () => '_',
  shape: z.object({
    code: z.enum([
      'cluster-unknown',
      'cluster-unreachable',
      'forbidden',
      'pod-not-found',
      'container-not-found',
      'container-ambiguous',
      'selector-ambiguous',
    ]),
    because: text(2_048),
    /** Where the cluster refused to show the pod: which one, and to which account of discovery. */
    withheld: z.object({ target: Target, account: text(256).optional() }).optional(),
  }),
  example: {
    code: 'pod-not-found',
    because: 'there is no pod cart-7f9c in namespace shop of prod-eu',
  },
});
export type TargetMissingV1 = DataOf<typeof TargetMissingV1>;
