// SPDX-License-Identifier: Apache-2.0
import type { Target } from '@impound/contracts/target.ts';
import { timeOf } from '@impound/contracts/time.ts';
import { reviewSelf } from '@impound/kubernetes/access.ts';
import type { Clusters } from '@impound/kubernetes/clusters.ts';
import type { ClusterConnection } from '@impound/kubernetes/connection.ts';
import type { KubernetesFault } from '@impound/kubernetes/fault.ts';
import { listNamespaces } from '@impound/kubernetes/node.ts';
import { isPermanent } from '@impound/kubernetes/permanence.ts';
import type { Pod, PodContainer } from '@impound/kubernetes/pod.ts';
import { getPod, listPods } from '@impound/kubernetes/pods.ts';
import { Later, messageOf, Never } from '@impound/runtime/fault.ts';
import type { ContainerFacts, PodFacts } from '../domain/pod.ts';
import type { Pods } from '../handlers/acquisition-requested.ts';
import type { Inventory } from '../handlers/discovery-list.ts';

const PODS_FITTING_MAX = 50;
const NAMESPACES_MAX = 5_000;
const AGAIN_MS = 2_000;

/** Reads pods from the API servers of the known clusters. */
export function kubernetesPods(clusters: Clusters): Pods & Inventory {
  const reach = (cluster: string) => clusters.connection(cluster).catch(translated);
  return {
    fitting: async (target, signal) => {
      const connection = await reach(target.cluster);
      return (await fitting(connection, target, signal).catch(translated)).map(podFacts);
    },
    account: async (cluster, signal) => await reviewSelf(await reach(cluster), signal),
    clusters: () => clusters.names().catch(translated),
    namespaces: async (cluster, signal) => {
      const connection = await reach(cluster);
      const wanted = { itemsMax: NAMESPACES_MAX };
      const found = await listNamespaces(connection, wanted, signal).catch(translated);
      return found.namespaces.map((one) => one.metadata.name);
    },
    pods: async ({ cluster, namespace, selector, limit }, signal) => {
      const connection = await reach(cluster);
      const query = { namespace, labelSelector: selector, itemsMax: limit };
      const found = await listPods(connection, query, signal).catch(translated);
      return { pods: found.pods.map(podFacts), cut: found.cut };
    },
  };
}

/** By its name where it has one; by the selector the pods that are not over yet, if any. */
async function fitting(
  connection: ClusterConnection,
  target: Target,
  signal: AbortSignal,
): Promise<readonly Pod[]> {
  const { namespace, pod, selector } = target;
  if (pod !== undefined) return [await getPod(connection, { namespace, pod }, signal)];
  const query = { namespace, labelSelector: selector, itemsMax: PODS_FITTING_MAX };
  const { pods } = await listPods(connection, query, signal);
  const living = pods.filter((one) => !['Succeeded', 'Failed'].includes(one.status.phase));
  return living.length > 0 ? living : pods;
}

/** SDK errors become the words of the house here, and go no further. */
function translated(cause: unknown): never {
  if (!isPermanent(cause)) {
    throw new Later('cluster-unreachable', AGAIN_MS, messageOf(cause), { cause });
  }
  throw new Never(CODES[cause.code] ?? 'cluster-unreachable', cause.message, { cause });
}

const CODES: Partial<Record<KubernetesFault['code'], string>> = {
  'cluster-unknown': 'cluster-unknown',
  'clusters-invalid': 'cluster-unknown',
  forbidden: 'forbidden',
  'not-found': 'pod-not-found',
};

function podFacts(pod: Pod): PodFacts {
  const { metadata, spec } = pod;
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    uid: metadata.uid,
    node: spec.nodeName,
    os: osOf(pod),
    runtime: pod.containers.find((one) => one.containerId)?.containerId?.split(':')[0],
    containers: pod.containers.map((one) => containerFacts(pod, one)),
  };
}

function osOf(pod: Pod): PodFacts['os'] {
  const named = pod.spec.os?.name;
  return named === 'linux' || named === 'windows' ? named : 'unknown';
}

function containerFacts(pod: Pod, container: PodContainer): ContainerFacts {
  const { state } = container;
  const started = state.kind === 'running' ? state.startedAt : undefined;
  const startedAt = started === undefined ? Number.NaN : Date.parse(started);
  return {
    name: container.name,
    kind: container.kind === 'app' ? 'container' : container.kind,
    image: container.image || 'unknown',
    imageDigest: container.imageId,
    containerId: container.containerId,
    // Before a node has taken a pod nothing is told of its containers.
    state: state.kind === 'unknown' && pod.status.phase === 'Pending' ? 'waiting' : state.kind,
    restarts: Math.max(0, Math.trunc(container.restartCount)),
    startedAt: Number.isNaN(startedAt) ? undefined : timeOf(startedAt),
    user: container.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser,
  };
}
