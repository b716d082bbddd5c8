// SPDX-License-Identifier: Apache-2.0
import type { Presence, Seen } from '@impound/executor/ports.ts';
import type { Clusters } from '@impound/kubernetes/clusters.ts';
import { KubernetesFault } from '@impound/kubernetes/fault.ts';
import { getPod } from '@impound/kubernetes/pods.ts';
import { translated } from './translated.ts';

/** Looks at a container by reading its pod. */
export function kubernetesPresence(clusters: Clusters): Presence {
  return {
    look: async ({ cluster, namespace, pod: name, container }, signal): Promise<Seen> => {
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
