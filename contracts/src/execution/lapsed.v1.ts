// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type DataOf, event } from '../event.ts';
import { Epoch, Time, text } from '../ids.ts';

/** An epoch ended because its worker was not heard of any more. Said by coordinator; from here on
 * the ledger refuses what that worker says under this epoch. */
export const ExecutionLapsedV1 = event({
  type: 'execution.lapsed.v1',
  route: () => '_',
  shape: z.object({ epoch: Epoch, because: text(512), lastHeardAt: Time.optional() }),
  example: {
    epoch: 1,
    because: 'no heartbeat for 45 s',
    lastHeardAt: '2026-11-23T09:16:00.000000Z',
  },
});
export type ExecutionLapsedV1 = DataOf<typeof ExecutionLapsedV1>;
