// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type DataOf, event } from '../event.ts';
import { Count, EventId, Time, text } from '../ids.ts';

/** Whoever asked could not be told; `againAt` says when it is tried again. Said and heard by
 * gateway, so that a restart forgets nothing. */
export const CallbackFailedV1 = event({
  type: 'callback.failed.v1',
  route: () => '_',
  shape: z.object({
    messageId: EventId,
    /** The event that it tells of. */
    about: EventId,
    attempt: Count,
    because: text(512),
    /** Absent: it is given up. */
    againAt: Time.optional(),
  }),
  example: {
    messageId: '0199f5a2-7c3e-8a10-8f52-2f6a3b9c4d01',
    about: '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01',
    attempt: 1,
    because: 'it answered 503',
    againAt: '2026-11-23T09:15:05.000000Z',
  },
});
export type CallbackFailedV1 = DataOf<typeof CallbackFailedV1>;
