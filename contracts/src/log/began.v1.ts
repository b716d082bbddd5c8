// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { type DataOf, event } from '../event.ts';
import { Count, Signature, text } from '../ids.ts';
import { LogKey } from '../log-key.ts';

/** The log begins, and this is its first entry: its name, the keys that sign for it, and, where it
 * takes the place of one that was lost or changed, how that one ended. Said by ledger. */
export const LogBeganV1 = event({
  type: 'log.began.v1',
  route: () => '_',
  begins: true,
  terminal: true,
  shape: z.object({
    origin: text(1_024),
    keys: z.array(LogKey).min(3).max(3),
    /** A recovery, which a person has ordered. */
    succeeds: z
      .object({
        /** The last checkpoint of the log before, as it is known outside of its database. */
        note: text(16_384),
        /** How many of its leaves the database still held: those up to the note's size are lost. */
        held: Count,
        orderedBy: text(128),
        because: text(1_024),
        /** By the checkpoint key of the log before, over its successor's name and key. */
        vouched: Signature,
      })
      .optional(),
  }),
  example: {
    origin: 'ledger.example.org/custody/1',
    keys: [
      { role: 'checkpoint', publicKey: `${'A'.repeat(43)}=` },
      { role: 'sigsum', publicKey: `${'B'.repeat(42)}A=` },
      { role: 'submitter', publicKey: `${'C'.repeat(42)}A=` },
    ],
  },
});
export type LogBeganV1 = DataOf<typeof LogBeganV1>;
