// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';

/**
 * CLUSTERS_FILE: JSON that names the clusters, with kubeconfigs that may exec. EPHEMERAL_IMAGE:
 * what ephemeral containers are made of, best by digest. EPHEMERAL_PTRACE: whether they may have
 * SYS_PTRACE where nothing less reads the target. STORE_WAIT_SECONDS: how long a collection waits
 * for a store that is away or full.
 */
export const config = z.object({
  CLUSTERS_FILE: z.string().min(1),
  EPHEMERAL_IMAGE: z
    .string()
    .regex(/^[A-Za-z0-9][\w./:@-]{0,255}$/, 'an image, e.g. registry.example/busybox@sha256:…')
    .optional(),
  EPHEMERAL_PTRACE: z.enum(['true', 'false']).default('false'),
  STORE_WAIT_SECONDS: z.coerce.number().int().min(1).max(3_600).default(300),
});
