// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';

const File = z.string().min(1);

/** The environment of the gateway. */
export const config = z.object({
  GATEWAY_HOST: z.string().min(1).default('127.0.0.1'),
  /** 0: a free one, which the log tells. */
  GATEWAY_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  /** Who may come in: JSON as contracts/src/integration.ts reads it, mode 0600. */
  INTEGRATIONS_FILE: File,
  /** TLS that ends here, in PEM; all absent: plain HTTP. */
  GATEWAY_TLS_CERT_FILE: File.optional(),
  GATEWAY_TLS_KEY_FILE: File.optional(),
  /** Asks for client certificates that this CA vouches for. */
  GATEWAY_TLS_CLIENT_CA_FILE: File.optional(),
  GATEWAY_TLS_CRL_FILE: File.optional(),
  /** Networks that callbacks may go to beside public addresses: 10.1.0.0/16,127.0.0.0/8. */
  CALLBACK_NETWORKS: z.string().max(4_096).optional(),
  /** Who else vouches for receivers of callbacks, in PEM. */
  CALLBACK_CA_FILE: File.optional(),
  /** An operator's own Cedar policies, `*.cedar`; they can narrow ours and never widen them. */
  POLICY_DIR: File.optional(),
});
