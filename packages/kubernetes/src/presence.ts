// SPDX-License-Identifier: Apache-2.0
import type { Clusters } from './clusters.ts';
import { KubernetesFault } from './fault.ts';
import { getPod } from './pods.ts';
import type { ContainerName } from './shell.ts';
import { translated } from './translated.ts';

/** What the pod says of one of its containers; an executor asks before it touches anything. */
export interface ContainerSeen {
  readonly state: 'running' | 'waiting' | 'terminated' | 'gone';
  readonly containerId?: string | undefined;
}

/** Looks at a container by reading its pod. Throws Never and Later as `kubernetesShell` does. */
export function kubernetesPresence(clusters: Clusters) {
  return {
    look: async (target: ContainerName, signal: AbortSignal): Promise<ContainerSeen> => {
      const { cluster, namespace, pod: name, container } = target;
      const connection = await clusters.connection(cluster).catch(translated);
      const pod = await getPod(connection, { namespace, pod: name }, signal).catch(
        (error: unknown) => {
          if (error instanceof KubernetesFault && error.code === 'not-found') return undefined;
          return translated(error);
        },
      );
      const found = pod?.containers.find((one) => one.name === container);
      if (found === undefined) return { state: 'gone' };
      const state = found.state.kind === 'unknown' ? 'waiting' : found.state.kind;
      return { state, containerId: found.containerId };
    },
  };
}
