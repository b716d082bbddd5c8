// SPDX-License-Identifier: Apache-2.0
import { readFile, stat } from 'node:fs/promises';
import * as z from 'zod';
import { type ClusterConnection, connectionFromKubeconfig } from './connection.ts';
import { KubernetesFault, quote } from './fault.ts';

const CLUSTERS_BYTES_MAX = 1_048_576;

/**
 * The clusters a service may reach, by the names that targets use. A JSON file that its operator
 * writes: { "prod-eu": { "kubeconfig": "/etc/impound/prod-eu.yaml", "context": "reader" } }.
 */
const ClustersFile = z.record(
  z.string().min(1).max(256),
  z.strictObject({
    /** Path of the kubeconfig. */
    kubeconfig: z.string().min(1).max(4_096),
    context: z.string().min(1).max(256).optional(),
    /** A kubeconfig may name a program that makes its token; it runs only if this is true. */
    allowExecPlugins: z.boolean().optional(),
  }),
);

/** Finds the way to a cluster by its name. */
export interface Clusters {
  names(): Promise<readonly string[]>;
  /** Throws KubernetesFault: `cluster-unknown`, or why its kubeconfig cannot be used. */
  connection(cluster: string): Promise<ClusterConnection>;
}

/**
 * Reads the file anew each time, so that a rotated kubeconfig or a new cluster needs no restart.
 */
export function clustersFrom(path: string): Clusters {
  const read = () => readClusters(path);
  return {
    names: async () => Object.keys(await read()).toSorted(),
    connection: async (cluster) => {
      const found = await read();
      const one = Object.hasOwn(found, cluster) ? found[cluster] : undefined;
      if (one === undefined) {
        const known = Object.keys(found).map(quote).join(', ') || 'none';
        throw new KubernetesFault(
          'cluster-unknown',
          `no cluster is called ${quote(cluster)} here; known: ${known}`,
        );
      }
      return await connectionFromKubeconfig({ path: one.kubeconfig }, one);
    },
  };
}

async function readClusters(path: string): Promise<z.output<typeof ClustersFile>> {
  try {
    const { size } = await stat(path);
    if (size > CLUSTERS_BYTES_MAX) throw new RangeError('larger than 1 MiB');
    return ClustersFile.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    throw new KubernetesFault(
      'clusters-invalid',
      `the list of clusters ${quote(path)} cannot be read or is not what it should be`,
      { cause },
    );
  }
}
