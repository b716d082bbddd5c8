// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type DataOf, event } from '../event.ts';
import { EventId, Sha256, text } from '../ids.ts';

/** An event came again under an id that is taken, and it differs in more than its times. The
 * first one stands. Said by ledger. */
export const ConflictNoticedV1 = event({
  type: 'conflict.noticed.v1',
  route: () => '_',
  terminal: true,
  shape: z.object({
    repeatedId: EventId,
    firstSha256: Sha256,
    repeatSha256: Sha256,
    repeatSource: text(256),
  }),
  example: {
    repeatedId: '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01',
    firstSha256: 'a'.repeat(64),
    repeatSha256: 'b'.repeat(64),
    repeatSource: '/impound/gateway/gw-1',
  },
});
export type ConflictNoticedV1 = DataOf<typeof ConflictNoticedV1>;
