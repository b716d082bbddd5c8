// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type DataOf, event } from '../event.ts';
import { text } from '../ids.ts';

/** The target cannot be found or told apart. Said by discovery, heard by coordinator. */
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
  }),
  example: {
    code: 'pod-not-found',
    because: 'there is no pod cart-7f9c in namespace shop of prod-eu',
  },
});
export type TargetMissingV1 = DataOf<typeof TargetMissingV1>;
