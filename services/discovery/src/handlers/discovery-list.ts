// SPDX-License-Identifier: Apache-2.0
import type { DiscoveryListV1 } from '@impound/contracts/ask/discovery.list.v1.ts';
import type { ReplyOf, RequestOf } from '@impound/contracts/question.ts';
import { formatTarget } from '@impound/contracts/target.ts';
import { type ContainerFacts, foundTarget, marksOf, type PodFacts } from '../domain/pod.ts';

type Request = RequestOf<typeof DiscoveryListV1>;
type Reply = ReplyOf<typeof DiscoveryListV1>;
type Item = Reply['items'][number];

/** Pods of a namespace; `cut` says that there are more. */
export interface PodPage {
  readonly pods: readonly PodFacts[];
  readonly cut: boolean;
}

/** What there is in the clusters. */
export interface Inventory {
  clusters(): Promise<readonly string[]>;
  namespaces(cluster: string, signal: AbortSignal): Promise<readonly string[]>;
  pods(asked: Asked, signal: AbortSignal): Promise<PodPage>;
}

export interface Asked {
  readonly cluster: string;
  readonly namespace: string;
  readonly selector?: string | undefined;
  readonly limit: number;
}

/** Lists clusters, then namespaces, then containers: one level deeper with each name given. */
export async function discoveryList(
  request: Request,
  deps: { readonly inventory: Inventory },
  signal: AbortSignal,
): Promise<Reply> {
  const { cluster, namespace, limit } = request;
  if (cluster === undefined) return named('cluster', await deps.inventory.clusters(), limit);
  if (namespace === undefined) {
    return named('namespace', await deps.inventory.namespaces(cluster, signal), limit);
  }
  const asked = { ...request, cluster, namespace };
  const page = await deps.inventory.pods(asked, signal);
  const items = page.pods.flatMap((pod) =>
    pod.containers.map((container) => containerItem(cluster, pod, container)),
  );
  const gaps = page.cut
    ? [`only ${limit} pods are listed: name a selector or raise the limit`]
    : [];
  return { items, gaps };
}

function named(kind: 'cluster' | 'namespace', names: readonly string[], limit: number): Reply {
  const items = names.slice(0, limit).map((name) => ({ kind, name, marks: [] }));
  const cut = names.length - items.length;
  return { items, gaps: cut > 0 ? [`${cut} more are not listed: raise the limit`] : [] };
}

function containerItem(cluster: string, pod: PodFacts, container: ContainerFacts): Item {
  const { namespace, name } = pod;
  const target = { kind: 'kubernetes', cluster, namespace, pod: name } as const;
  return {
    kind: 'container',
    name: `${name}/${container.name}`,
    target: formatTarget(foundTarget(target, pod, container)),
    image: container.image,
    state: container.state,
    restarts: container.restarts,
    marks: marksOf(pod, container),
    ...(pod.node === undefined ? {} : { node: pod.node }),
  };
}
