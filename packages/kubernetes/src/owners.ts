// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { getJson } from './api.ts';
import type { ClusterConnection } from './connection.ts';
import { abortedFault, KubernetesFault } from './fault.ts';
import type { Pod } from './pod.ts';
import { Metadata, type OwnerReference } from './pod-object.ts';
import { parsed } from './shape.ts';

/** One step up from a pod to what made it. */
export interface Owner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  /** True if the object was read and is the one that is referred to. */
  readonly read: boolean;
  /** Why the chain ends here although there may be more. */
  readonly stopped?: string | undefined;
}

/** Longest chain that is followed; a Deployment needs 2, a CronJob 2. */
export const OWNERS_MAX = 8;

/** Kinds whose place in the API is known; others are named and end the chain. */
const PATHS: Readonly<Record<string, readonly [string, string]>> = {
  CronJob: ['batch', 'cronjobs'],
  DaemonSet: ['apps', 'daemonsets'],
  Deployment: ['apps', 'deployments'],
  Job: ['batch', 'jobs'],
  ReplicaSet: ['apps', 'replicasets'],
  ReplicationController: ['', 'replicationcontrollers'],
  StatefulSet: ['apps', 'statefulsets'],
};

/**
 * Follows the controllers of a pod upwards (pod, ReplicaSet, Deployment). What may not be read or
 * is of an unknown kind ends the chain and says so. Throws only `aborted`.
 */
export async function ownerChain(
  connection: ClusterConnection,
  pod: Pick<Pod, 'metadata'>,
  signal: AbortSignal,
): Promise<readonly Owner[]> {
  const { namespace } = pod.metadata;
  const chain: Owner[] = [];
  let references = pod.metadata.ownerReferences;
  while (chain.length < OWNERS_MAX) {
    const reference = references.find((one) => one.controller);
    if (!reference || chain.some((owner) => owner.uid === reference.uid)) break;
    const { apiVersion, kind, name, uid } = reference;
    const step = await follow(connection, { reference, namespace }, signal);
    chain.push({ apiVersion, kind, name, uid, read: step.stopped === undefined, ...step.note });
    references = step.owners;
  }
  return chain;
}

interface Step {
  readonly owners: readonly OwnerReference[];
  readonly stopped?: string;
  readonly note?: { readonly stopped: string };
}

function stop(stopped: string): Step {
  return { owners: [], stopped, note: { stopped } };
}

async function follow(
  connection: ClusterConnection,
  from: { readonly reference: OwnerReference; readonly namespace: string },
  signal: AbortSignal,
): Promise<Step> {
  const { reference, namespace } = from;
  const path = pathOf(reference, namespace);
  if (!path) return stop(`kind ${reference.kind} is not followed`);
  try {
    const json = await getJson(connection, { path }, signal);
    const { metadata } = parsed(z.object({ metadata: Metadata }), json, reference.kind);
    if (metadata.uid === reference.uid) return { owners: metadata.ownerReferences };
    return stop('an object of this name exists, but it is not the one that is referred to');
  } catch (error) {
    if (signal.aborted) throw abortedFault(signal);
    if (!(error instanceof KubernetesFault)) throw error;
    return stop(error.message);
  }
}

function pathOf(reference: OwnerReference, namespace: string): readonly string[] | undefined {
  const [group, resource] = Object.hasOwn(PATHS, reference.kind)
    ? (PATHS[reference.kind] ?? [])
    : [];
  const [first = '', second] = reference.apiVersion.split('/');
  const named = second === undefined ? '' : first;
  if (resource === undefined || group !== named) return undefined;
  const root = second === undefined ? ['api', first] : ['apis', first, second];
  return [...root, 'namespaces', namespace, resource, reference.name];
}
