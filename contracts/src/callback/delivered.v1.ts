// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type DataOf, event } from '../event.ts';
import { Count, EventId } from '../ids.ts';

/** Whoever asked was told what became of it, and has taken it. Said by gateway. */
export const CallbackDeliveredV1 = event({
  type: 'callback.delivered.v1',
  route: () => '_',
  terminal: true,
  shape: z.object({
    /** The webhook-id: the same for every attempt, so that a receiver knows a double. */
    messageId: EventId,
    /** The event that it tells of. */
    about: EventId,
    attempt: Count,
    status: Count,
  }),
  example: {
    messageId: '0199f5a2-7c3e-8a10-8f52-2f6a3b9c4d01',
    about: '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01',
    attempt: 1,
    status: 204,
  },
});
export type CallbackDeliveredV1 = DataOf<typeof CallbackDeliveredV1>;
