// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { Count, Sha256, Time, text } from './ids.ts';

/**
 * What the ledger answers to a say: where the event stands, or why it does not stand.
 * `repeated`: the id was taken, and this is the first one's place; `differs`: by another content.
 */
export const SayReply = z.discriminatedUnion('ok', [
  z.object({
    ok: z.literal(true),
    seq: Count,
    version: Count,
    entryHash: Sha256,
    repeated: z.boolean(),
    differs: z.boolean(),
    recordedAt: Time.optional(),
  }),
  z.object({
    ok: z.literal(false),
    refusal: z.enum(['conflict', 'invalid', 'fenced', 'forbidden']),
    because: text(1_024),
    version: Count,
  }),
]);
export type SayReply = z.output<typeof SayReply>;

/** Header of a say: the chain's version that this event is meant to follow; absent: any. */
export const EXPECTED_VERSION = 'Impound-Expected-Version';
/** Header of a heard event: its index in the log. */
export const SEQ = 'Impound-Seq';
/** Header of a heard event: the leaf hash of its entry. */
export const ENTRY_HASH = 'Impound-Entry-Hash';
/** Header of a heard event: told again after a loss or a stall, so it may be answered already. */
export const TOLD_AGAIN = 'Impound-Told-Again';
