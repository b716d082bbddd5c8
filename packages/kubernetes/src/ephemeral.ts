// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import { patchJson } from './api.ts';
import type { ClusterConnection } from './connection.ts';
import { abortedFault, KubernetesFault, quote } from './fault.ts';
import { type ContainerState, type Pod, type PodContainer, podOf } from './pod.ts';
import { PodObject } from './pod-object.ts';
import { getPod, type PodName, podPath } from './pods.ts';
import { parsed } from './shape.ts';

/** A debug container. Once accepted it stays in the pod's spec for ever: it is to be disclosed. */
export interface EphemeralContainer {
  /** A DNS label, new for each attempt: the same name may not be used again. */
  readonly name: string;
  /** By digest, so that it is known what ran. */
  readonly image: string;
  /** Taken literally: the kubelet's own `$(NAME)` expansion is switched off by escaping. */
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Joins the process namespace of this container, which must be running. */
  readonly targetContainerName?: string | undefined;
  readonly imagePullPolicy?: 'Always' | 'IfNotPresent' | 'Never' | undefined;
  readonly stdin?: boolean | undefined;
  /** As the API takes it: runAsUser, runAsGroup, capabilities, privileged, seccompProfile, … */
  readonly securityContext?: Readonly<Record<string, unknown>> | undefined;
  /** Volumes that the pod has already; subPath is not allowed. */
  readonly volumeMounts?:
    | readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[]
    | undefined;
}

/** Which pod gets which container. */
export interface EphemeralRequest extends PodName {
  readonly container: EphemeralContainer;
  /** True: admission is asked (Pod Security, webhooks), nothing is changed. */
  readonly dryRun?: boolean | undefined;
}

/** The pod after the change and what admission warned of. */
export interface EphemeralAdded {
  readonly pod: Pod;
  readonly warnings: readonly string[];
}

/** Which container to wait for, and how long. */
export interface EphemeralWait extends PodName {
  readonly name: string;
  /** The pod's uid, so that a pod of the same name is not taken for it. */
  readonly uid: string;
  readonly deadlineMs: number;
  readonly pollMs?: number | undefined;
}

/** Time between two looks at the pod. */
const POLL_MS = 500;

/** Looks in a row that show the same start failure before it is believed. */
const FAILED_LOOKS_MAX = 3;

const START_FAILURES: ReadonlySet<string> = new Set([
  'CreateContainerConfigError',
  'CreateContainerError',
  'ErrImageNeverPull',
  'ErrImagePull',
  'ImageInspectError',
  'ImagePullBackOff',
  'InvalidImageName',
  'RunContainerError',
]);

/**
 * Adds an ephemeral container (strategic merge PATCH, needs patch on pods/ephemeralcontainers).
 * Throws `forbidden`, `pod-security-denied`, `invalid-object` (name taken, static pod),
 * `not-found`.
 */
export async function addEphemeralContainer(
  connection: ClusterConnection,
  { container, dryRun, ...name }: EphemeralRequest,
  signal: AbortSignal,
): Promise<EphemeralAdded> {
  const { command, env, ...rest } = container;
  const entry = {
    ...rest,
    command: command.map(literal),
    env: Object.entries(env ?? {}).map(([key, value]) => ({ name: key, value: literal(value) })),
  };
  const path = [...podPath(name), 'ephemeralcontainers'];
  const query = { fieldValidation: 'Strict', dryRun: dryRun === true ? 'All' : undefined };
  const body = { spec: { ephemeralContainers: [entry] } };
  const { json, warnings } = await patchJson(connection, { path, query, body }, signal);
  const pod = podOf(parsed(PodObject, json, 'Pod'), name.namespace);
  return { pod, warnings: warnings.map(quote) };
}

/**
 * Waits until the container runs. Throws `ephemeral-start-failed` with the kubelet's reason,
 * `timeout` after `deadlineMs`, and `gone` if the pod was replaced. It cannot be taken back.
 */
export async function ephemeralRunning(
  connection: ClusterConnection,
  wait: EphemeralWait,
  signal: AbortSignal,
): Promise<PodContainer> {
  const endsAt = performance.now() + wait.deadlineMs;
  let looks = 0;
  let last = 'no status yet';
  while (performance.now() < endsAt) {
    const pod = await getPod(connection, wait, signal);
    const container = containerOf(pod, wait);
    if (container?.state.kind === 'running') return container;
    const failure = failureOf(pod, container?.state);
    last = failure?.text ?? waitingText(container?.state);
    looks = failure ? looks + failure.looks : 0;
    if (looks >= FAILED_LOOKS_MAX) throw startFault(last);
    await pause(wait.pollMs ?? POLL_MS, signal);
  }
  throw new KubernetesFault(
    'timeout',
    `the ephemeral container did not run within ${wait.deadlineMs} ms (${last}); ` +
      'it stays in the pod, use a new name for the next attempt',
  );
}

/** Escapes text for `command`, `args` and `env`, where the kubelet turns `$$` into `$`. */
export function literal(text: string): string {
  return text.replaceAll('$', '$$$$');
}

function containerOf(pod: Pod, wait: EphemeralWait): PodContainer | undefined {
  if (pod.metadata.uid === wait.uid) {
    return pod.containers.find((one) => one.kind === 'ephemeral' && one.name === wait.name);
  }
  throw new KubernetesFault(
    'gone',
    'the pod was replaced by another of the same name; start again',
  );
}

function failureOf(pod: Pod, state: ContainerState | undefined) {
  const { phase } = pod.status;
  if (state?.kind === 'terminated') {
    const why = quote(`${state.reason ?? ''} ${state.message ?? ''}`);
    return {
      looks: FAILED_LOOKS_MAX,
      text: `it ended at once with exit code ${state.exitCode}: ${why}`,
    };
  }
  if (phase === 'Succeeded' || phase === 'Failed') {
    return { looks: FAILED_LOOKS_MAX, text: `the pod is ${phase} and starts no containers` };
  }
  const failed = state?.kind === 'waiting' && START_FAILURES.has(state.reason ?? '');
  return failed ? { looks: 1, text: waitingText(state) } : undefined;
}

function waitingText(state: ContainerState | undefined): string {
  if (state?.kind !== 'waiting') return 'no status yet';
  return quote(`${state.reason ?? 'waiting'}: ${state.message ?? ''}`);
}

function startFault(why: string): KubernetesFault {
  return new KubernetesFault(
    'ephemeral-start-failed',
    `the ephemeral container does not start: ${why}; correct that and use a new name`,
  );
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    throw abortedFault(signal);
  }
}
