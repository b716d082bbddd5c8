// SPDX-License-Identifier: Apache-2.0
import type { Method } from './methods.ts';
import type { Target } from './target.ts';

/** One right in a cluster: verb on resource, in the words of Kubernetes RBAC. */
export interface Right {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  /** True for what is asked of the cluster and not of the target's namespace. */
  readonly clusterWide?: boolean;
}

const POD: readonly Right[] = [{ verb: 'get', group: '', resource: 'pods' }];

/** WebSocket exec needs get, and create as well since Kubernetes 1.35; SPDY needs create alone. */
const EXEC: readonly Right[] = [
  { verb: 'get', group: '', resource: 'pods', subresource: 'exec' },
  { verb: 'create', group: '', resource: 'pods', subresource: 'exec' },
];

/** What each method needs in the target's namespace: no more is ever asked for. */
export const METHOD_RIGHTS: Partial<Record<Method, readonly Right[]>> = {
  'exec-stream': [...POD, ...EXEC],
  'ephemeral-container': [
    ...POD,
    ...EXEC,
    { verb: 'patch', group: '', resource: 'pods', subresource: 'ephemeralcontainers' },
  ],
};

/** What discovery reads. Only the first is needed; without the others the context has gaps. */
export const DISCOVERY_RIGHTS: readonly Right[] = [
  ...POD,
  { verb: 'list', group: '', resource: 'pods' },
  { verb: 'get', group: '', resource: 'pods', subresource: 'log' },
  { verb: 'list', group: '', resource: 'events' },
  { verb: 'get', group: 'apps', resource: 'replicasets' },
  { verb: 'get', group: 'apps', resource: 'deployments' },
  { verb: 'get', group: 'apps', resource: 'statefulsets' },
  { verb: 'get', group: 'apps', resource: 'daemonsets' },
  { verb: 'get', group: 'batch', resource: 'jobs' },
  { verb: 'get', group: 'batch', resource: 'cronjobs' },
  { verb: 'list', group: '', resource: 'namespaces', clusterWide: true },
  { verb: 'get', group: '', resource: 'nodes', clusterWide: true },
];

/** What discovery needs to find this target at all. */
export function findingRight({ pod }: Target): Right {
  return { verb: pod === undefined ? 'list' : 'get', group: '', resource: 'pods' };
}

/**
 * What makes the context tell whether a Secret or ConfigMap that the pod refers to has changed: a
 * hash. It also lets discovery read the values, so it is not asked for unless an operator grants
 * it; names come from the pod itself and need no right.
 */
export const DIGEST_RIGHTS: readonly Right[] = [
  { verb: 'get', group: '', resource: 'secrets' },
  { verb: 'get', group: '', resource: 'configmaps' },
];

/** Several rights in one sentence: "get pods, get pods/exec and create pods/exec". */
export function rightsText(rights: readonly Right[]): string {
  const [last = '', ...before] = rights.map(rightText).toReversed();
  return before.length === 0 ? last : `${before.toReversed().join(', ')} and ${last}`;
}

/** A right as people write it: "create pods/exec". */
export function rightText(right: Right): string {
  const resource = right.subresource ? `${right.resource}/${right.subresource}` : right.resource;
  return `${right.verb} ${right.group ? `${resource}.${right.group}` : resource}`;
}
