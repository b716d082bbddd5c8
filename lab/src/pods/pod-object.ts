// SPDX-License-Identifier: Apache-2.0
import type { KubeObject } from '../api/kube-object.ts';
import { type ContainerRecord, ofRole, type PodRecord } from './pod-record.ts';
import { podStatus } from './pod-status.ts';

// Shorter than the real default of 30, since what a lab runs seldom listens to SIGTERM.
const GRACE_SECONDS = 2;

/** A pod as the server answers it, without kind and apiVersion. */
export function podObject(pod: PodRecord): KubeObject {
  const { spec } = pod;
  return {
    metadata: {
      name: spec.name,
      namespace: pod.namespace,
      uid: pod.uid,
      resourceVersion: String(pod.resourceVersion),
      generation: pod.generation,
      creationTimestamp: pod.createdAt,
      ...(pod.deletion === undefined
        ? {}
        : {
            deletionTimestamp: pod.deletion.at,
            deletionGracePeriodSeconds: pod.deletion.graceSeconds,
          }),
      ...(spec.labels === undefined ? {} : { labels: spec.labels }),
      ...(spec.annotations === undefined ? {} : { annotations: spec.annotations }),
      ...(pod.owner === undefined ? {} : { ownerReferences: [ownerReference(pod.owner)] }),
    },
    spec: podSpec(pod),
    status: podStatus(pod),
  };
}

function ownerReference(owner: { readonly name: string; readonly uid: string }) {
  const { name, uid } = owner;
  const what = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name, uid };
  return { ...what, controller: true, blockOwnerDeletion: true };
}

/** How long a pod may take to end by itself, in seconds. */
export function graceSeconds(pod: PodRecord): number {
  return pod.spec.gracePeriodSeconds ?? GRACE_SECONDS;
}

function podSpec(pod: PodRecord) {
  const { spec } = pod;
  const account = spec.serviceAccount ?? 'default';
  const init = ofRole(pod, 'init').map(containerObject);
  const ephemeral = ofRole(pod, 'ephemeral').map((one) => one.sent ?? {});
  const volumes = (spec.volumes ?? []).map(({ name }) => ({ name, emptyDir: {} }));
  return {
    ...(volumes.length === 0 ? {} : { volumes }),
    ...(init.length === 0 ? {} : { initContainers: init }),
    containers: ofRole(pod, 'app').map(containerObject),
    ...(ephemeral.length === 0 ? {} : { ephemeralContainers: ephemeral }),
    restartPolicy: spec.restartPolicy ?? 'Always',
    terminationGracePeriodSeconds: graceSeconds(pod),
    dnsPolicy: 'ClusterFirst',
    serviceAccountName: account,
    serviceAccount: account,
    ...(pod.nodeName === '' ? {} : { nodeName: pod.nodeName }),
    securityContext: {},
    schedulerName: 'default-scheduler',
    priority: 0,
    enableServiceLinks: true,
    preemptionPolicy: 'PreemptLowerPriority',
  };
}

function containerObject(record: ContainerRecord) {
  const { spec } = record;
  const env = Object.entries(spec.env ?? {}).map(([name, value]) => ({ name, value }));
  const mounts = record.mountPaths.map(({ name, path }) => ({ name, mountPath: path }));
  return {
    name: spec.name,
    image: spec.image,
    ...(spec.command === undefined ? {} : { command: spec.command }),
    ...(spec.workingDir === undefined ? {} : { workingDir: spec.workingDir }),
    ...(env.length === 0 ? {} : { env }),
    resources: {},
    ...(spec.sidecar === true ? { restartPolicy: 'Always' } : {}),
    ...(mounts.length === 0 ? {} : { volumeMounts: mounts }),
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: 'IfNotPresent',
    ...securityContext(record),
  };
}

function securityContext(record: ContainerRecord) {
  const { user, group, userOfImage, privileged, capabilities, readOnlyRoot } = record.spec;
  const context = {
    ...(user === undefined || userOfImage ? {} : { runAsUser: user }),
    ...(group === undefined || userOfImage ? {} : { runAsGroup: group }),
    ...(privileged === undefined ? {} : { privileged }),
    ...(capabilities === undefined ? {} : { capabilities }),
    ...(readOnlyRoot === undefined ? {} : { readOnlyRootFilesystem: readOnlyRoot }),
  };
  return Object.keys(context).length === 0 ? {} : { securityContext: context };
}
