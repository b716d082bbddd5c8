// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { PublicKey } from './ids.ts';

/** What keys of the log sign: checkpoints, those under sigsum's origin, the leaves of seals. */
export const LOG_KEY_ROLES = ['checkpoint', 'sigsum', 'submitter'] as const;
export type LogKeyRole = (typeof LOG_KEY_ROLES)[number];

/** A key of the log: Ed25519, the 32 bytes of RFC 8032 in base64. */
export const LogKey = z.object({
  role: z.enum(LOG_KEY_ROLES),
  publicKey: PublicKey,
});
export type LogKey = z.output<typeof LogKey>;

/** The tenant of the chain in which the log speaks of itself. */
export const LOG_TENANT = 'impound-log';

/** What the key before signs of the one that follows it: nobody else can name its successor. */
export function successionText(origin: string, { role, publicKey }: LogKey): string {
  return `impound.dev/v1/key-succession\n${origin}\n${role}\n${publicKey}\n`;
}
