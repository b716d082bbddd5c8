// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { PublicKey, Signature, text } from './ids.ts';

/** A key by which a service signs what it says, and who vouched for it. */
export const Signer = z.object({
  publicKey: PublicKey,
  /** By a key that the service had before, over signerSuccessionText(). */
  vouched: z.object({ by: PublicKey, signature: Signature }).optional(),
});
export type Signer = z.output<typeof Signer>;

const KEYS_MAX = 4;

/** Who signs what they say, by the names of services: the keys that count now. */
export const Signers = z.record(text(64), z.array(Signer).min(1).max(KEYS_MAX));
export type Signers = z.output<typeof Signers>;

/** What a key of a service signs of the one that follows it. */
export function signerSuccessionText(service: string, publicKey: string): string {
  return `impound.dev/v1/signer-succession\n${service}\n${publicKey}\n`;
}
