// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type DataOf, event } from '../event.ts';
import { EvidenceObject } from '../evidence.ts';
import { Code, text } from '../ids.ts';

/** The acquisition cannot be completed; `next` says what a person can do. Said by coordinator. */
export const AcquisitionFailedV1 = event({
  type: 'acquisition.failed.v1',
  route: () => '_',
  ends: true,
  terminal: true,
  shape: z.object({
    code: Code,
    because: text(1_024),
    next: text(1_024),
    /** What interrupted executions had already stored: kept, and not the whole. */
    salvaged: z.array(EvidenceObject).max(64),
  }),
  example: {
    code: 'ladder-exhausted',
    because: 'exec-stream: create pods/exec is not granted in namespace shop',
    next: 'apply the RBAC manifest in access.checked, then ask again',
    salvaged: [],
  },
});
export type AcquisitionFailedV1 = DataOf<typeof AcquisitionFailedV1>;
