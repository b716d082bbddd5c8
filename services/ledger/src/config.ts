// SPDX-License-Identifier: Apache-2.0
import { SecretText } from '@impound/runtime/secret.ts';
import * as z from 'zod';

/** Environment of the ledger. */
export const config = z.object({
  /** postgres://ledger_writer:…@host:port/database */
  DATABASE_URL: SecretText,
  /** A chain that has not moved for this long is told again, in milliseconds. */
  STALL_MS: z.coerce.number().int().min(100).max(600_000).default(15_000),
});
export type Config = z.output<typeof config>;
