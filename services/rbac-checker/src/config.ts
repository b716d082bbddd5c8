// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';

/**
 * CLUSTERS_FILE: JSON that names the clusters, with the kubeconfigs the executor uses.
 * EPHEMERAL_IMAGE: as the executor has it; only whether there is one matters here.
 */
export const config = z.object({
  CLUSTERS_FILE: z.string().min(1),
  EPHEMERAL_IMAGE: z.string().min(1).optional(),
});
