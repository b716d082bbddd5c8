// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type DataOf, event } from '../event.ts';
import { text } from '../ids.ts';

/** The acquisition was stopped because somebody asked for that. Said by coordinator. */
export const AcquisitionCancelledV1 = event({
  type: 'acquisition.cancelled.v1',
  route: () => '_',
  ends: true,
  terminal: true,
  shape: z.object({ because: text(1_024) }),
  example: { because: 'cancelled by lead: wrong pod' },
});
export type AcquisitionCancelledV1 = DataOf<typeof AcquisitionCancelledV1>;
