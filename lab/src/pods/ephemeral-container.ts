// SPDX-License-Identifier: Apache-2.0
import { isRecord, type JsonRecord } from '../api/json.ts';
import type { ContainerSpec } from '../options.ts';
import { findTool } from '../runtime/tools.ts';
import type { Kubelet } from './kubelet.ts';
import {
  type ContainerRecord,
  containerOf,
  isRunning,
  type PodRecord,
  phaseOf,
} from './pod-record.ts';

const START_DELAY_MS = 150;

/** A container sent by PATCH, with the defaults the server adds, as a record of the pod. */
export function ephemeralRecord(sent: JsonRecord): ContainerRecord {
  const full = {
    ...sent,
    resources: {},
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: sent['imagePullPolicy'] ?? 'IfNotPresent',
  };
  const target = sent['targetContainerName'];
  return {
    spec: specOf(sent),
    role: 'ephemeral',
    mountPaths: records(sent['volumeMounts']).map((one) => ({
      name: String(one['name']),
      path: String(one['mountPath']),
    })),
    sent: full,
    ...(typeof target === 'string' && target !== '' ? { target } : {}),
    waiting: undefined,
    rootfs: undefined,
    running: undefined,
    ended: undefined,
  };
}

function records(value: unknown): JsonRecord[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function specOf(sent: JsonRecord): ContainerSpec {
  const image = String(sent['image']);
  const context = isRecord(sent['securityContext']) ? sent['securityContext'] : {};
  const env = Object.fromEntries(
    records(sent['env']).map((one) => [String(one['name']), String(one['value'] ?? '')]),
  );
  const argv = [...strings(sent['command']), ...strings(sent['args'])];
  const debian = /debian|ubuntu/.test(image) || findTool('busybox') === undefined;
  const capabilities = isRecord(context['capabilities']) ? context['capabilities'] : {};
  const number = (name: string, value: unknown) =>
    typeof value === 'number' ? { [name]: value } : {};
  return {
    name: String(sent['name']),
    image,
    flavor: debian ? 'debian' : 'busybox',
    ...(argv.length === 0 ? {} : { command: argv.map((one) => expanded(one, env)) }),
    ...(typeof sent['workingDir'] === 'string' ? { workingDir: sent['workingDir'] } : {}),
    env,
    ...number('user', context['runAsUser']),
    ...number('group', context['runAsGroup']),
    privileged: context['privileged'] === true,
    capabilities: { add: strings(capabilities['add']), drop: strings(capabilities['drop']) },
  };
}

/** What the kubelet makes of `$$` and `$(NAME)` in a container's command. */
export function expanded(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$|\$\(([^()]*)\)/g, (whole, name: string | undefined) => {
    if (whole === '$$') return '$';
    return name !== undefined && Object.hasOwn(env, name) ? (env[name] ?? '') : whole;
  });
}

/** Brings an ephemeral container to life, or leaves it waiting with the reason why not. */
export async function startEphemeral(
  pod: PodRecord,
  record: ContainerRecord,
  by: {
    readonly kubelet: Kubelet;
    readonly changed: (pod: PodRecord) => void;
    readonly absentImages: readonly string[];
  },
): Promise<void> {
  if (['Succeeded', 'Failed'].includes(phaseOf(pod)) || pod.nodeName === '') return;
  const wait = (waiting: { readonly reason: string; readonly message?: string }): void => {
    record.waiting = waiting;
    by.changed(pod);
  };
  wait({ reason: 'ContainerCreating' });
  await new Promise((resolve) => setTimeout(resolve, START_DELAY_MS));
  const why = whyNotStarted(pod, record, by.absentImages);
  if (why !== undefined) {
    wait(why);
    return;
  }
  try {
    await by.kubelet.startEphemeral(pod, record);
  } catch (error) {
    wait({ reason: 'RunContainerError', message: (error as Error).message });
  }
}

function whyNotStarted(
  pod: PodRecord,
  record: ContainerRecord,
  absentImages: readonly string[],
): { readonly reason: string; readonly message: string } | undefined {
  const { image, user } = record.spec;
  if (absentImages.includes(image)) {
    const message = `failed to pull and unpack image "${image}": not found`;
    return { reason: 'ErrImagePull', message };
  }
  const context = record.sent?.['securityContext'];
  if (isRecord(context) && context['runAsNonRoot'] === true && (user ?? 0) === 0) {
    const message = 'container has runAsNonRoot and image will run as root';
    return { reason: 'CreateContainerConfigError', message };
  }
  if (record.target === undefined) return undefined;
  const target = containerOf(pod, record.target);
  if (target !== undefined && isRunning(target)) return undefined;
  const state = 'is not running - in state CONTAINER_EXITED';
  const message = `invalid target container: container "${record.target}" ${state}`;
  return { reason: 'CreateContainerError', message };
}
