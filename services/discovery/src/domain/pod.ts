// SPDX-License-Identifier: Apache-2.0

import type { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';
import type { FoundTarget, Target } from '@impound/contracts/target.ts';

type Container = TargetResolvedV1['container'];

/** One container of a pod, as far as the API server tells. */
export interface ContainerFacts {
  readonly name: string;
  readonly kind: Container['kind'];
  readonly image: string;
  readonly imageDigest?: string | undefined;
  readonly containerId?: string | undefined;
  readonly state: Container['state'];
  readonly restarts: number;
  readonly startedAt?: string | undefined;
  readonly user?: number | undefined;
}

/** One pod, as far as the API server tells. */
export interface PodFacts {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly node?: string | undefined;
  readonly os: Container['os'];
  readonly runtime?: string | undefined;
  readonly containers: readonly ContainerFacts[];
}

/** Why a target cannot be told apart, in the codes of target.missing. */
export interface Ambiguity {
  readonly code:
    | 'pod-not-found'
    | 'container-not-found'
    | 'container-ambiguous'
    | 'selector-ambiguous';
  readonly because: string;
}

const NAMES_TOLD_MAX = 12;

/** The one pod that a target means among those that fit its name or selector. */
export function onlyPod(target: Target, pods: readonly PodFacts[]): PodFacts | Ambiguity {
  const [pod, ...others] = pods;
  const where = `namespace ${target.namespace} of ${target.cluster}`;
  const what = target.pod ? `pod ${target.pod}` : `pod that fits ${target.selector}`;
  if (pod === undefined) {
    return { code: 'pod-not-found', because: `there is no ${what} in ${where}` };
  }
  if (others.length === 0) return pod;
  const because = `${pods.length} pods fit ${target.selector} in ${where}: ask for each of them: `;
  return { code: 'selector-ambiguous', because: because + told(pods.map((one) => one.name)) };
}

/** The one container of a pod that a target means. */
export function onlyContainer(target: Target, pod: PodFacts): ContainerFacts | Ambiguity {
  const named = pod.containers.filter((one) => one.name === target.container);
  const plain = pod.containers.filter((one) => one.kind === 'container');
  const [found, ...others] = target.container === undefined ? plain : named;
  const names = told(pod.containers.map((one) => one.name));
  if (found === undefined) {
    const because = `pod ${pod.name} has no container ${target.container ?? ''}; it has: ${names}`;
    return { code: 'container-not-found', because };
  }
  if (others.length === 0) return found;
  const because = `pod ${pod.name} has several containers, name one of: ${names}`;
  return { code: 'container-ambiguous', because };
}

function told(names: readonly string[]): string {
  const more = names.length > NAMES_TOLD_MAX ? ` and ${names.length - NAMES_TOLD_MAX} more` : '';
  return names.slice(0, NAMES_TOLD_MAX).join(', ') + more;
}

export function isAmbiguity(value: object): value is Ambiguity {
  return 'because' in value;
}

/** The target with every name filled in. */
export function foundTarget(target: Target, pod: PodFacts, container: ContainerFacts): FoundTarget {
  return {
    kind: target.kind,
    cluster: target.cluster,
    namespace: pod.namespace,
    pod: pod.name,
    container: container.name,
  };
}

/** What target.resolved says of the container. */
export function describe(pod: PodFacts, found: ContainerFacts): Container {
  return {
    podUid: pod.uid,
    image: found.image,
    kind: found.kind,
    state: found.state,
    restarts: found.restarts,
    os: pod.os,
    shell: shellGuess(found.image),
    ...given('containerId', found.containerId),
    ...given('imageDigest', found.imageDigest),
    ...given('startedAt', found.startedAt),
    ...given('user', found.user),
    ...given('node', pod.node),
    ...given('runtime', pod.runtime),
  } as Container;
}

function given(key: string, value: unknown): object {
  return value === undefined || value === '' ? {} : { [key]: value };
}

const WITHOUT_SHELL = /distroless|(^|\/)(scratch|pause)([:@]|$)|chainguard|-static([:@-]|$)/i;
/** Base images of everyday use, each of which has a shell. */
const BASES = 'debian ubuntu alpine busybox centos fedora rockylinux nginx httpd python node php'
  .concat(' ruby redis postgres')
  .replaceAll(' ', '|');
const WITH_SHELL = new RegExp(`(^|/)(${BASES})([:@-]|$)`, 'i');

/** A guess by the image's name, for nothing is run to find out. */
export function shellGuess(image: string): Container['shell'] {
  if (WITHOUT_SHELL.test(image)) return 'unlikely';
  return WITH_SHELL.test(image) ? 'likely' : 'unknown';
}

const SYSTEM = new Set(['kube-system', 'kube-public', 'kube-node-lease']);

/** What people should know before they choose a container: nothing is hidden, some is marked. */
export function marksOf(pod: PodFacts, container: ContainerFacts): string[] {
  const marks: string[] = [];
  if (SYSTEM.has(pod.namespace)) marks.push('a system namespace: acquired like any other');
  if (container.kind === 'init') marks.push('an init container: it can be entered while it runs');
  if (container.kind === 'ephemeral') marks.push('an ephemeral container');
  if (shellGuess(container.image) === 'unlikely') {
    marks.push('looks distroless: exec needs a shell; the control-plane context is taken anyway');
  }
  if (container.state !== 'running') {
    marks.push(`${container.state}: only its control-plane context can be taken`);
  }
  if (pod.os === 'windows') marks.push('a Windows node: only its control-plane context is taken');
  return marks;
}
