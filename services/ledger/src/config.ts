// SPDX-License-Identifier: Apache-2.0

import { messageOf } from '@impound/runtime/fault.ts';
import { SecretText } from '@impound/runtime/secret.ts';
import { readLogKeys } from '@impound/transparency/log-keys.ts';
import * as z from 'zod';

const LogKeysText = z
  .string()
  .min(1)
  .transform((secret, context) => {
    try {
      return readLogKeys(secret);
    } catch (error) {
      context.addIssue({ code: 'custom', message: messageOf(error) });
      return z.NEVER;
    }
  });

/** Environment of the ledger. */
export const config = z.object({
  /** postgres://ledger_writer:…@host:port/database */
  DATABASE_URL: SecretText,
  /** The name of the log and the keys that sign for it, as `impound init` makes them. */
  LOG_KEYS: LogKeysText,
  /** A chain that has not moved for this long is told again, in milliseconds. */
  STALL_MS: z.coerce.number().int().min(100).max(600_000).default(15_000),
});
export type Config = z.output<typeof config>;
