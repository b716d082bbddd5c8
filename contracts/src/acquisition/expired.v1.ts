// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type DataOf, event } from '../event.ts';
import { Time, text } from '../ids.ts';

/** The deadline passed before the acquisition ended. Said by coordinator. */
export const AcquisitionExpiredV1 = event({
  type: 'acquisition.expired.v1',
  route: () => '_',
  ends: true,
  terminal: true,
  shape: z.object({ deadline: Time, because: text(1_024) }),
  example: {
    deadline: '2026-11-23T10:15:00.000000Z',
    because: 'nobody approved the request in time',
  },
});
export type AcquisitionExpiredV1 = DataOf<typeof AcquisitionExpiredV1>;
