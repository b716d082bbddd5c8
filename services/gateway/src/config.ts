// SPDX-License-Identifier: Apache-2.0
import { SecretText } from '@impound/runtime/secret.ts';
import * as z from 'zod';

/** The environment of the gateway. One of TOKENS and TOKENS_FILE is needed. */
export const config = z.object({
  GATEWAY_HOST: z.string().min(1).default('127.0.0.1'),
  /** 0: a free one, which the log tells. */
  GATEWAY_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  /** Who may come in: JSON as domain/caller.ts reads it. */
  TOKENS: SecretText.optional(),
  TOKENS_FILE: z.string().min(1).optional(),
});
