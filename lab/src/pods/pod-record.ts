// SPDX-License-Identifier: Apache-2.0
import { createHash, randomUUID } from 'node:crypto';
import { kubeTime } from '../api/kube-object.ts';
import type { ContainerSpec, PodSpec } from '../options.ts';
import type { Container, Ended } from '../runtime/container.ts';
import type { Rootfs } from '../runtime/rootfs.ts';

/** Which of a pod's three lists a container is in. */
export type Role = 'init' | 'app' | 'ephemeral';

/** A container of a pod and what has become of it. */
export interface ContainerRecord {
  readonly spec: ContainerSpec;
  readonly role: Role;
  readonly mountPaths: readonly { readonly name: string; readonly path: string }[];
  /** For ephemeral containers: the spec as it was sent, with defaults, and the target's name. */
  readonly sent?: Readonly<Record<string, unknown>>;
  readonly target?: string;
  waiting: { readonly reason: string; readonly message?: string } | undefined;
  rootfs: Rootfs | undefined;
  running: Container | undefined;
  ended: Ended | undefined;
}

/** A pod as the server keeps it; its JSON is made when somebody asks. */
export interface PodRecord {
  readonly spec: PodSpec;
  readonly namespace: string;
  readonly uid: string;
  readonly createdAt: string;
  readonly nodeName: string;
  readonly ip: string;
  readonly containers: ContainerRecord[];
  readonly owner: { readonly name: string; readonly uid: string } | undefined;
  generation: number;
  resourceVersion: number;
  deletion: { readonly at: string; readonly graceSeconds: number } | undefined;
}

/** A pod that has not started yet. */
export function newPod(
  spec: PodSpec,
  place: {
    readonly namespace: string;
    readonly nodeName: string;
    readonly number: number;
    readonly version: number;
    readonly owner?: { readonly name: string; readonly uid: string };
  },
): PodRecord {
  const unschedulable = spec.unschedulable !== undefined;
  const record = (one: ContainerSpec, role: Role): ContainerRecord => ({
    spec: one,
    role,
    mountPaths: one.mounts ?? [],
    waiting: one.waiting ?? { reason: role === 'app' ? 'PodInitializing' : 'ContainerCreating' },
    rootfs: undefined,
    running: undefined,
    ended: undefined,
  });
  return {
    spec,
    namespace: place.namespace,
    uid: randomUUID(),
    createdAt: kubeTime(new Date()),
    nodeName: unschedulable ? '' : (spec.nodeName ?? place.nodeName),
    ip: `10.244.0.${(place.number % 250) + 4}`,
    containers: [
      ...(spec.initContainers ?? []).map((one) => record(one, 'init')),
      ...spec.containers.map((one) => record(one, 'app')),
    ],
    owner: place.owner,
    generation: 1,
    resourceVersion: place.version,
    deletion: undefined,
  };
}

/** The pod's containers of one role, in the order of the spec. */
export function ofRole(pod: PodRecord, role: Role): ContainerRecord[] {
  return pod.containers.filter((one) => one.role === role);
}

/** The container of this name, or undefined. */
export function containerOf(pod: PodRecord, name: string): ContainerRecord | undefined {
  return pod.containers.find((one) => one.spec.name === name);
}

/** True while the container's main process runs. */
export function isRunning(record: ContainerRecord): boolean {
  return record.running !== undefined && record.ended === undefined;
}

/** The image id of a container: what its spec says, or one made from the image's name. */
export function imageDigest(spec: ContainerSpec): string {
  return spec.digest ?? `sha256:${createHash('sha256').update(spec.image).digest('hex')}`;
}

/** Pending, Running, Succeeded or Failed, folded from the containers. */
export function phaseOf(pod: PodRecord): 'Pending' | 'Running' | 'Succeeded' | 'Failed' {
  const apps = ofRole(pod, 'app');
  const started = apps.filter((one) => one.running !== undefined);
  if (started.length === 0) return 'Pending';
  const policy = pod.spec.restartPolicy ?? 'Always';
  const over = apps.every((one) => one.ended !== undefined);
  if (!over || policy === 'Always') return 'Running';
  if (apps.every((one) => one.ended?.code === 0)) return 'Succeeded';
  return policy === 'Never' ? 'Failed' : 'Running';
}
