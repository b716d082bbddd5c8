// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Kubelet } from '../pods/kubelet.ts';
import type { ContainerRecord, PodRecord } from '../pods/pod-record.ts';
import { containerOf, ofRole } from '../pods/pod-record.ts';
import type { World } from '../world.ts';
import type { User } from './authorization.ts';
import type { Fault } from './faults.ts';
import type { ResourceRequest } from './request-info.ts';
import { badRequest, notFound } from './status.ts';

/** One authorized request on a resource, and the world it is about. */
export interface Context {
  readonly world: World;
  readonly kubelet: Kubelet;
  readonly user: User;
  readonly asked: ResourceRequest;
  readonly query: URLSearchParams;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly fault: Fault | undefined;
  /** Aborted when the server closes. */
  readonly signal: AbortSignal;
}

/** The pod a request names; throws 404. */
export function podOf(world: World, asked: ResourceRequest): PodRecord {
  const pod = world.pod(asked.namespace, asked.name);
  if (pod === undefined) throw notFound({ group: '', resource: 'pods', name: asked.name });
  return pod;
}

/** The container a request names or the only one; throws 400 as the server does. */
export function chosenContainer(pod: PodRecord, name: string): ContainerRecord {
  if (name !== '') {
    const found = containerOf(pod, name);
    if (found !== undefined) return found;
    throw badRequest(`container ${name} is not valid for pod ${pod.spec.name}`);
  }
  const [only, ...others] = ofRole(pod, 'app');
  if (only !== undefined && others.length === 0) return only;
  const choice = [...ofRole(pod, 'init'), ...ofRole(pod, 'app'), ...ofRole(pod, 'ephemeral')];
  const names = choice.map((one) => one.spec.name).join(' ');
  throw badRequest(
    `a container name must be specified for pod ${pod.spec.name}, choose one of: [${names}]`,
  );
}
