// SPDX-License-Identifier: Apache-2.0
import { chown, mkdir, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerSpec } from '../options.ts';
import { type Container, type ContainerPlan, startContainer } from '../runtime/container.ts';
import type { NodeNamespace } from '../runtime/node-namespace.ts';
import { buildRootfs, type Mount, plant } from '../runtime/rootfs.ts';
import {
  type ContainerRecord,
  containerOf,
  isRunning,
  ofRole,
  type PodRecord,
} from './pod-record.ts';

const INIT_MS_MAX = 5_000;
const PROGRAM_MS_MAX = 60_000;
const CONTAINER_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What starts and ends the containers of pods on the lab's node. */
export interface Kubelet {
  /** Starts a pod; comes back when all runs, or waits for an init container that takes long. */
  start(pod: PodRecord, signal?: AbortSignal): Promise<void>;
  /** Starts one ephemeral container that is in the pod's list already. */
  startEphemeral(pod: PodRecord, record: ContainerRecord): Promise<void>;
  /** Ends all containers: SIGTERM first and SIGKILL after the grace period. */
  stop(pod: PodRecord, graceSeconds: number): Promise<void>;
}

/** A kubelet; `changed` is called whenever a pod's status may read otherwise. */
export function kubelet(node: NodeNamespace, changed: (pod: PodRecord) => void): Kubelet {
  const launch = async (pod: PodRecord, record: ContainerRecord): Promise<void> => {
    await prepare(node, pod, record);
    record.running = await startContainer(node, planOf(pod, record));
    record.waiting ??= { reason: 'ContainerCreating' };
    changed(pod);
    void record.running.ended.then((ended) => {
      record.ended = ended;
      changed(pod);
    });
    await startProcesses(record, record.running);
  };
  const launchInit = async (pod: PodRecord, record: ContainerRecord): Promise<boolean> => {
    if (record.spec.waiting !== undefined) return false;
    await launch(pod, record);
    return record.spec.sidecar === true || (await record.running?.ended)?.code === 0;
  };
  const launchAll = async (pod: PodRecord, signal?: AbortSignal): Promise<void> => {
    for (const record of ofRole(pod, 'init')) {
      signal?.throwIfAborted();
      if (!(await launchInit(pod, record))) return;
    }
    for (const record of ofRole(pod, 'app').filter((one) => one.spec.waiting === undefined)) {
      signal?.throwIfAborted();
      await launch(pod, record);
    }
  };
  return {
    start: async (pod, signal) => {
      if (pod.nodeName === '') return;
      const all = launchAll(pod, signal);
      // An init container may run for ever, as in a pod that is stuck; then nobody waits for it.
      all.catch(() => undefined);
      await Promise.race([all, initTakesLong(pod)]);
    },
    startEphemeral: launch,
    stop: stopPod,
  };
}

async function initTakesLong(pod: PodRecord): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const check = setInterval(() => {
    const stuck = ofRole(pod, 'init').some(
      (one) =>
        isRunning(one) &&
        one.spec.sidecar !== true &&
        Date.now() - (one.running?.startedAt.getTime() ?? 0) > INIT_MS_MAX,
    );
    if (stuck) resolve();
    if (stuck || ofRole(pod, 'app').some((one) => one.running !== undefined)) clearInterval(check);
  }, 50);
  check.unref();
  return await promise;
}

async function prepare(
  node: NodeNamespace,
  pod: PodRecord,
  record: ContainerRecord,
): Promise<void> {
  const { spec } = record;
  const owner = { user: spec.user ?? 0, group: spec.group ?? 0 };
  const base = podDirectory(node, pod);
  const path = join(base, record.spec.name);
  await mkdir(join(base, 'volumes'), { recursive: true });
  const rootfs = await buildRootfs(path, spec.flavor, { ...owner, hostname: pod.spec.name });
  const real = node.mapped ? undefined : owner;
  await mkdir(join(path, spec.workingDir ?? '/'), { recursive: true });
  if (real !== undefined) await chown(join(path, 'app'), real.user, real.group);
  await plant(path, [...serviceAccountFiles(pod), ...(spec.files ?? [])], real);
  const mounts: Mount[] = [];
  for (const { name, path: to } of record.mountPaths) {
    const from = join(base, 'volumes', name);
    await mkdir(from, { recursive: true, mode: 0o777 });
    await mkdir(join(path, to), { recursive: true });
    mounts.push({ kind: 'bind', from, to });
  }
  await plantVolumes(pod, base);
  const all = [...rootfs.mounts, ...mounts];
  record.rootfs = { ...rootfs, mounts: spec.readOnlyRoot === true ? sealed(path, all) : all };
}

// The root is made read-only when all else is in place.
function sealed(path: string, mounts: readonly Mount[]): Mount[] {
  const memory: Mount = { kind: 'tmpfs', from: 'tmpfs', to: '/dev/shm' };
  return [...mounts, memory, { kind: 'seal', from: path, to: '/' }];
}

async function plantVolumes(pod: PodRecord, base: string): Promise<void> {
  if (pod.containers.some((one) => one.running !== undefined)) return;
  for (const volume of pod.spec.volumes ?? []) {
    await plant(join(base, 'volumes', volume.name), volume.files ?? [], undefined);
  }
}

function serviceAccountFiles(pod: PodRecord) {
  const folder = '/var/run/secrets/kubernetes.io/serviceaccount';
  return [
    { path: `${folder}/namespace`, text: pod.namespace },
    // NOTE: no real credential: the token says whose it would be and opens nothing.
    {
      path: `${folder}/token`,
      text: `lab.${pod.namespace}.${pod.spec.serviceAccount ?? 'default'}`,
    },
  ];
}

/** The directory of a pod on the host, with a folder per container and one for volumes. */
export function podDirectory(node: NodeNamespace, pod: PodRecord): string {
  return join(node.directory, 'pods', `${pod.namespace}_${pod.spec.name}_${pod.uid}`);
}

function planOf(pod: PodRecord, record: ContainerRecord): ContainerPlan {
  const { spec, rootfs } = record;
  if (rootfs === undefined) throw new Error(`The container ${spec.name} has no file system yet.`);
  const joins = record.target === undefined ? undefined : containerOf(pod, record.target)?.running;
  return {
    root: rootfs.path,
    user: spec.user ?? 0,
    group: spec.group ?? 0,
    workingDir: spec.workingDir ?? '/',
    privileged: spec.privileged ?? false,
    add: spec.capabilities?.add ?? [],
    drop: spec.capabilities?.drop ?? [],
    hostname: pod.spec.name,
    mounts: rootfs.mounts,
    command: spec.command ?? rootfs.defaultCommand,
    env: environment(pod, spec),
    ownNetwork: pod.spec.network === 'own',
    ...(joins === undefined ? {} : { joins }),
  };
}

function environment(pod: PodRecord, spec: ContainerSpec) {
  const home = (spec.user ?? 0) === 0 ? '/root' : '/app';
  return {
    PATH: CONTAINER_PATH,
    HOSTNAME: pod.spec.name,
    HOME: home,
    KUBERNETES_SERVICE_HOST: '10.96.0.1',
    KUBERNETES_SERVICE_PORT: '443',
    ...spec.env,
  };
}

async function startProcesses(record: ContainerRecord, container: Container): Promise<void> {
  for (const process of record.spec.processes ?? []) {
    const nothing = { stdin: false, stdout: false, stderr: false };
    const started = await container.exec(process.command, nothing, process.env);
    if (typeof started === 'string') {
      throw new Error(`A process of the container ${record.spec.name} cannot start: ${started}`);
    }
    if (process.removeAfterStart !== undefined) {
      await removeOnceRunning(record, started.pid, process.removeAfterStart);
    }
  }
}

// The program takes the place of those that start it a while after the start is reported.
async function removeOnceRunning(
  record: ContainerRecord,
  ...[pid, path]: [number, string]
): Promise<void> {
  const until = Date.now() + PROGRAM_MS_MAX;
  while (!(await readlink(`/proc/${pid}/exe`).catch(() => '')).endsWith(path)) {
    if (Date.now() > until) throw new Error(`${path} did not start in ${record.spec.name}.`);
    await sleep(20);
  }
  await rm(join(record.rootfs?.path ?? '', path));
}

async function stopPod(pod: PodRecord, graceSeconds: number): Promise<void> {
  const running = pod.containers.flatMap((one) => (isRunning(one) ? [one.running] : []));
  const all = Promise.all(running.map((one) => one?.ended));
  for (const one of running) one?.kill(graceSeconds > 0 ? 'SIGTERM' : 'SIGKILL');
  const timer = setTimeout(() => {
    for (const one of running) one?.kill('SIGKILL');
  }, graceSeconds * 1000);
  await all;
  clearTimeout(timer);
}
