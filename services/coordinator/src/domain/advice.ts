// SPDX-License-Identifier: Apache-2.0
import type { Acquisition } from '@impound/contracts/chain.ts';
import type { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';

/** What a person can do when discovery did not find the target. */
export const MISSING_ADVICE: Readonly<Record<TargetMissingV1['code'], string>> = {
  'cluster-unknown':
    'check the name of the cluster in the target, or add the cluster to the configuration of ' +
    'discovery and of the executor, then ask again',
  'cluster-unreachable':
    'check the network, the address and the credentials by which discovery reaches the API ' +
    'server, then ask again',
  forbidden: 'give discovery get and list on pods in the namespace of the target, then ask again',
  'pod-not-found':
    'list the pods of the namespace: a pod that was replaced has a new name; then ask again',
  'container-not-found': 'list the containers of the pod, name one of them, and ask again',
  'container-ambiguous': 'the pod has more than one container: name one, and ask again',
  'selector-ambiguous':
    'name one pod, or a selector that fits exactly one, and ask once for each container',
};

/** What a person can do where the manifest of access.checked is all that is missing. */
export const GRANT_ADVICE =
  'apply the RBAC manifest in access.checked of this acquisition, which grants exactly what is ' +
  'missing, then ask again';

/** What a person can do when no rung may be tried. */
export function noWayAdvice({ access }: Acquisition): string {
  return access?.grant
    ? GRANT_ADVICE
    : 'ask again with other methods, or configure an executor that reaches this target';
}

/** What a person can do when every rung was tried. */
export function exhaustedAdvice({ access }: Acquisition): string {
  const denied = access?.ladder.some(({ verdict }) => verdict === 'denied') ?? false;
  return denied && access?.grant
    ? `put right what the reasons name, or ${GRANT_ADVICE}`
    : 'put right what the reasons name, then ask again';
}

/** What a person can do when no executor took the assignment. */
export function noExecutorAdvice(executors: readonly string[]): string {
  const names = executors.join(', ');
  return `start ${names} or look at its log and its connection to the bus, then ask again`;
}
