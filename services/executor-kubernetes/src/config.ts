// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';

/** CLUSTERS_FILE: JSON that names the clusters, with kubeconfigs that may exec. */
export const config = z.object({ CLUSTERS_FILE: z.string().min(1) });
