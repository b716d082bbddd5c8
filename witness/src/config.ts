// SPDX-License-Identifier: Apache-2.0
import { SecretText } from '@impound/runtime/secret.ts';
import * as z from 'zod';

/** Environment of a witness. */
export const config = z.object({
  /** The name on its cosignatures, such as witness.example.net/impound. */
  WITNESS_NAME: z.string().min(1).max(200),
  /** An Ed25519 private key, PKCS #8 in PEM. */
  WITNESS_KEY: SecretText,
  /** Verifier keys of the logs that it looks at, one a line; # begins a comment. */
  LOGS: z.string().min(1),
  /** What it has seen; `init` makes it. */
  STATE_FILE: z.string().min(1),
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(7_380),
  /** TLS that ends here, in PEM; both absent: plain HTTP. */
  TLS_CERT: z.string().min(1).optional(),
  TLS_KEY: SecretText.optional(),
  HEALTH_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
});
export type Config = z.output<typeof config>;
