// SPDX-License-Identifier: Apache-2.0
import { readFile, stat } from 'node:fs/promises';
import { messageOf } from '@impound/runtime/fault.ts';
import * as z from 'zod';
import { type ClusterConnection, lastingConnections } from './connection.ts';
import { KubernetesFault, quote } from './fault.ts';
import { whileUnchanged } from './same-file.ts';

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
    /** The route of the executor that collects there; left out: 'kubernetes'. */
    executor: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,31}$/)
      .default('kubernetes'),
  }),
);

/** Finds the way to a cluster by its name. */
export interface Clusters {
  names(): Promise<readonly string[]>;
  /** Throws KubernetesFault: `cluster-unknown`, or why its kubeconfig cannot be used. */
  connection(cluster: string): Promise<ClusterConnection>;
  /** The route of the executor that collects in this cluster. Throws `cluster-unknown`. */
  executor(cluster: string): Promise<string>;
}

/**
 * Looks at the files each time, so that a rotated kubeconfig or a new cluster needs no restart.
 */
export function clustersFrom(path: string): Clusters {
  const read = whileUnchanged(readClusters);
  const ways = new Map<string, ReturnType<typeof lastingConnections>>();
  return {
    names: async () => Object.keys(await read(path)).toSorted(),
    connection: async (cluster) => {
      const { kubeconfig, context, allowExecPlugins } = entryOf(await read(path), cluster);
      const options = { context, allowExecPlugins };
      const key = JSON.stringify([context, allowExecPlugins]);
      const way = ways.get(key) ?? lastingConnections(options);
      ways.set(key, way);
      return await way(kubeconfig);
    },
    executor: async (cluster) => entryOf(await read(path), cluster).executor,
  };
}

type Found = z.output<typeof ClustersFile>;

function entryOf(found: Found, cluster: string): Found[string] {
  const one = Object.hasOwn(found, cluster) ? found[cluster] : undefined;
  if (one !== undefined) return one;
  const known = Object.keys(found).map(quote).join(', ') || 'none';
  throw new KubernetesFault(
    'cluster-unknown',
    `no cluster is called ${quote(cluster)} here; known: ${known}`,
  );
}

async function readClusters(path: string): Promise<Found> {
  try {
    const { size } = await stat(path);
    if (size > CLUSTERS_BYTES_MAX) throw new RangeError('larger than 1 MiB');
    return ClustersFile.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    throw new KubernetesFault(
      'clusters-invalid',
      `the list of clusters ${quote(path)} cannot be used: ${reasonOf(cause)}`,
      { cause },
    );
  }
}

/** Says where the fault is. A SyntaxError quotes the file, which may hold a secret. */
function reasonOf(cause: unknown): string {
  if (cause instanceof SyntaxError) return 'it is not JSON';
  if (!(cause instanceof z.ZodError)) return quote(messageOf(cause));
  const issues = cause.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  return quote(issues.join('; '));
}
