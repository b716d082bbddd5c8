// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type DataOf, event } from '../event.ts';
import { Time, text } from '../ids.ts';

/** What keeps the tables of the log from change was found to be missing, disabled or another while
 * the log was written: what was recorded since it was last seen whole was under no guard. Said by
 * ledger. */
export const GuardsBrokenV1 = event({
  type: 'guards.broken.v1',
  route: () => '_',
  terminal: true,
  shape: z.object({
    /** When all of it was last seen in its place. */
    guardedAt: Time,
    /** Each with what it is about and what to do. */
    faults: z.array(text(512)).min(1).max(32),
  }),
  example: {
    guardedAt: '2026-11-23T09:15:00.000000Z',
    faults: [
      'trigger ledger_entry_no_change is not ENABLE ALWAYS: find out who changed it, and enable it',
    ],
  },
});
export type GuardsBrokenV1 = DataOf<typeof GuardsBrokenV1>;
