// SPDX-License-Identifier: Apache-2.0
import { kubeTime } from '../api/kube-object.ts';
import {
  type ContainerRecord,
  imageDigest,
  isRunning,
  ofRole,
  type PodRecord,
  phaseOf,
  type Role,
} from './pod-record.ts';

const NODE_IP = '172.17.0.1';

/** The status part of a pod's JSON. */
export function podStatus(pod: PodRecord) {
  const phase = phaseOf(pod);
  const head = { observedGeneration: pod.generation, phase };
  if (pod.nodeName === '') {
    const conditions = [unscheduled(pod)];
    return { ...head, conditions, qosClass: 'BestEffort' };
  }
  const running = phase === 'Running' || phase === 'Pending';
  return {
    ...head,
    conditions: conditions(pod),
    hostIP: NODE_IP,
    hostIPs: [{ ip: NODE_IP }],
    ...(running ? { podIP: pod.ip, podIPs: [{ ip: pod.ip }] } : {}),
    startTime: pod.createdAt,
    ...statuses(pod, 'init', 'initContainerStatuses'),
    ...statuses(pod, 'app', 'containerStatuses'),
    ...statuses(pod, 'ephemeral', 'ephemeralContainerStatuses'),
    qosClass: 'BestEffort',
  };
}

function statuses(pod: PodRecord, role: Role, name: string) {
  // An ephemeral container in a pod that is over never gets a status.
  const over = ['Succeeded', 'Failed'].includes(phaseOf(pod));
  const shown = ofRole(pod, role).filter(
    (one) => role !== 'ephemeral' || (!over && (one.waiting?.reason ?? '') !== ''),
  );
  return shown.length === 0 ? {} : { [name]: shown.map((one) => containerStatus(pod, one)) };
}

function containerStatus(pod: PodRecord, record: ContainerRecord) {
  const { spec } = record;
  const restarts = restartsForEver(pod, record) && record.ended !== undefined;
  return {
    name: spec.name,
    state: restarts ? backOff(pod, record) : state(record),
    lastState: restarts ? { terminated: terminated(record) } : {},
    ready: isReady(record),
    restartCount: restarts ? 1 : 0,
    image: spec.image,
    ...identity(record),
    ...mounts(record),
  };
}

function identity(record: ContainerRecord) {
  const { running, spec, role } = record;
  const started = role === 'ephemeral' ? {} : { started: isRunning(record) };
  if (running === undefined) return { imageID: '', ...started };
  const containerID = `containerd://${running.id}`;
  return { imageID: imageDigest(spec), containerID, ...started, resources: {} };
}

function isReady({ role, spec, ended, ...record }: ContainerRecord): boolean {
  if (role === 'init' && ended?.code === 0) return true;
  const counts = role === 'app' || (role === 'init' && spec.sidecar === true);
  return counts && record.running !== undefined && ended === undefined;
}

function restartsForEver(pod: PodRecord, record: ContainerRecord): boolean {
  return record.role === 'app' && (pod.spec.restartPolicy ?? 'Always') === 'Always';
}

function backOff(pod: PodRecord, record: ContainerRecord) {
  const who = `container=${record.spec.name} pod=${pod.spec.name}_${pod.namespace}(${pod.uid})`;
  const message = `back-off 10s restarting failed ${who}`;
  return { waiting: { reason: 'CrashLoopBackOff', message } };
}

function state(record: ContainerRecord) {
  if (record.running === undefined) return { waiting: record.waiting ?? {} };
  if (record.ended !== undefined) return { terminated: terminated(record) };
  return { running: { startedAt: kubeTime(record.running.startedAt) } };
}

function terminated(record: ContainerRecord) {
  const { running, ended } = record;
  if (running === undefined || ended === undefined) return {};
  return {
    exitCode: ended.code,
    reason: ended.code === 0 ? 'Completed' : 'Error',
    startedAt: kubeTime(running.startedAt),
    finishedAt: kubeTime(ended.at),
    containerID: `containerd://${running.id}`,
  };
}

function mounts(record: ContainerRecord) {
  if (record.mountPaths.length === 0) return {};
  return {
    volumeMounts: record.mountPaths.map(({ name, path }) => ({ name, mountPath: path })),
  };
}

function unscheduled(pod: PodRecord) {
  return {
    type: 'PodScheduled',
    observedGeneration: pod.generation,
    status: 'False',
    lastProbeTime: null,
    lastTransitionTime: pod.createdAt,
    reason: 'Unschedulable',
    message: pod.spec.unschedulable ?? '',
  };
}

function conditions(pod: PodRecord) {
  const phase = phaseOf(pod);
  const unfinished = ofRole(pod, 'init').filter(
    (one) => one.ended?.code !== 0 && !(one.spec.sidecar === true && isRunning(one)),
  );
  const unready = ofRole(pod, 'app').filter((one) => !isRunning(one));
  const over = phase === 'Succeeded' || phase === 'Failed';
  const names = (list: readonly ContainerRecord[]) => list.map((one) => one.spec.name).join(' ');
  const notReady = over
    ? { reason: phase === 'Succeeded' ? 'PodCompleted' : 'PodFailed' }
    : {
        reason: 'ContainersNotReady',
        message: `containers with unready status: [${names(unready)}]`,
      };
  const notInitialized = {
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${names(unfinished)}]`,
  };
  const one = (type: string, holds: boolean, why = {}) => ({
    type,
    observedGeneration: pod.generation,
    status: holds ? 'True' : 'False',
    lastProbeTime: null,
    lastTransitionTime: pod.createdAt,
    ...(holds ? {} : why),
  });
  return [
    one('PodReadyToStartContainers', !over),
    one('Initialized', unfinished.length === 0, notInitialized),
    one('Ready', unready.length === 0, notReady),
    one('ContainersReady', unready.length === 0, notReady),
    one('PodScheduled', true),
  ];
}
