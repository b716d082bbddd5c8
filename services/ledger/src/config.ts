// SPDX-License-Identifier: Apache-2.0

import { readStoreUrl } from '@impound/bucket/store-url.ts';
import { LogBeganV1 } from '@impound/contracts/log/began.v1.ts';
import { Signers } from '@impound/contracts/signer.ts';
import { SIGNING_SERVICES } from '@impound/contracts/signing-services.ts';
import { messageOf } from '@impound/runtime/fault.ts';
import { SecretText } from '@impound/runtime/secret.ts';
import { readLogKeys } from '@impound/transparency/log-keys.ts';
import { parsePolicy } from '@impound/transparency/policy.ts';
import * as z from 'zod';

const LogKeysText = z
  .string()
  .min(1)
  .transform((secret, context) => {
    try {
      const keys = readLogKeys(secret);
      LogBeganV1.shape.shape.succeeds.parse(keys.succeeds);
      return keys;
    } catch (error) {
      context.addIssue({ code: 'custom', message: messageOf(error) });
      return z.NEVER;
    }
  });

const PolicyText = z
  .string()
  .min(1)
  .transform((text, context) => {
    try {
      return parsePolicy(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: messageOf(error) });
      return z.NEVER;
    }
  });

const SignersText = z
  .string()
  .min(1)
  .transform((text, context) => {
    const signers = Signers.safeParse(jsonOf(text));
    const stranger = Object.keys(signers.data ?? {}).find((one) => !SIGNING_SERVICES.includes(one));
    if (signers.success && stranger === undefined) return signers.data;
    const message = stranger === undefined ? 'no list of public keys by service' : NO_SIGNER;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

const NO_SIGNER = `it names a service that signs nothing: ${SIGNING_SERVICES.join(', ')} do`;

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const MirrorUrl = z.string().transform((text, context) => {
  const place = readStoreUrl(text);
  if (typeof place !== 'string' && (place.kind === 'file' || place.kind === 's3')) return place;
  const because = typeof place === 'string' ? place : 'a mirror lies in file:/// or s3://';
  context.addIssue({ code: 'custom', message: because.replace('STORE_KEY', 'MIRROR_KEY') });
  return z.NEVER;
});

/** Environment of the ledger. */
export const config = z.object({
  /** postgres://ledger_writer:…@host:port/database */
  DATABASE_URL: SecretText,
  /** The name of the log and the keys that sign for it, as `impound init` makes them. */
  LOG_KEYS: LogKeysText,
  /** The public keys by which services sign what they say, as `impound init` lists them: what they
   * have not signed is not taken from then on. Absent: those on record count. */
  SIGNERS: SignersText.optional(),
  /** A chain that has not moved for this long is told again, in milliseconds. */
  STALL_MS: z.coerce.number().int().min(100).max(600_000).default(15_000),
  /** How often the guards of the database are looked at while it is written to, in milliseconds. */
  GUARD_MS: z.coerce.number().int().min(100).max(3_600_000).default(60_000),
  /** How often the heads of all chains go on record where they have moved, in milliseconds. */
  HEADS_MS: z.coerce.number().int().min(100).max(3_600_000).default(15_000),
  /** Witnesses and how many of them are enough (C2SP tlog-policy); those with an address are shown
   * each checkpoint. */
  POLICY: PolicyText.optional(),
  /** Where tiles, entries and checkpoints are copied to, for others to keep: a directory
   * (file:///…), or a bucket (s3://bucket/prefix?region=&endpoint=). */
  MIRROR_URL: MirrorUrl.optional(),
  /** ACCESS_KEY_ID:SECRET_ACCESS_KEY for that bucket; absent: what the SDK finds by itself. */
  MIRROR_KEY: SecretText.optional(),
  /** An authority of time (RFC 3161), and the certificates that its own must lead to, in PEM. */
  TSA_URL: z.url({ protocol: /^https?$/ }).optional(),
  TSA_CERTIFICATES: z.string().min(1).optional(),
  /** A checkpoint is stamped this often. */
  TSA_MINUTES: z.coerce.number().int().min(1).max(1_440).default(10),
});
export type Config = z.output<typeof config>;
