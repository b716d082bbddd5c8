// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterConnection } from '../connection.ts';
import { addEphemeralContainer, ephemeralRunning } from '../ephemeral.ts';
import { exec } from '../exec.ts';
import { KubernetesFault } from '../fault.ts';
import { isPermanent } from '../permanence.ts';
import type { Pod } from '../pod.ts';
import { getPod } from '../pods.ts';
import type { DebuggerProfile } from './privileges.ts';
import { END, mainCommand } from './scripts.ts';

/** Where a debugger goes and what it is to be. */
export interface Place {
  readonly connection: ClusterConnection;
  readonly pod: Pod;
  readonly name: string;
  readonly image: string;
  /** The container whose processes it joins. */
  readonly target: string;
  /** Best first; admission chooses. */
  readonly profiles: readonly DebuggerProfile[];
  readonly msMax: number;
  /** Takes a sentence for each change of the pod. */
  readonly notes: string[];
}

/** A debugger that runs. Disposing it ends its processes; it stays in the pod's spec for ever. */
export interface Debugger extends AsyncDisposable {
  readonly name: string;
  readonly profile: DebuggerProfile;
}

/** How long an image may take to come and a container to start. */
const START_MS_MAX = 120_000;
const POLL_MS = 250;
/** A debugger that nobody could end outlives its attempt by so long. */
const AFTER_MS = 60_000;

/**
 * Adds a debugger and waits until it runs. A dry run asks admission first: a profile that Pod
 * Security refuses makes way for the next one, and nothing is changed for a pod that takes none.
 */
export async function debuggerIn(place: Place, signal: AbortSignal): Promise<Debugger> {
  const profile = await admitted(place, signal);
  await added(place, profile, signal);
  const { connection, pod, name } = place;
  const found = { ...podName(pod), uid: pod.metadata.uid, name };
  try {
    const wait = { ...found, deadlineMs: START_MS_MAX, pollMs: POLL_MS };
    const { imageId } = await ephemeralRunning(connection, wait, signal);
    place.notes.push(`it ran image ${imageId ?? 'of an unknown digest'} as ${profile.name}`);
  } catch (error) {
    const seconds = secondsOf(place);
    place.notes.push(`it did not start; if it ever does, it ends by itself after ${seconds} s`);
    throw error;
  }
  return { name, profile, [Symbol.asyncDispose]: () => end(place) };
}

async function admitted(place: Place, signal: AbortSignal): Promise<DebuggerProfile> {
  let refusal: unknown;
  for (const profile of place.profiles) {
    try {
      await addEphemeralContainer(place.connection, requestOf(place, profile, true), signal);
      return profile;
    } catch (error) {
      const next = error instanceof KubernetesFault && error.code === 'pod-security-denied';
      if (!next) throw error;
      refusal = error;
    }
  }
  throw refusal;
}

async function added(place: Place, profile: DebuggerProfile, signal: AbortSignal): Promise<void> {
  const { name, image, notes } = place;
  try {
    await addEphemeralContainer(place.connection, requestOf(place, profile, false), signal);
  } catch (error) {
    const sure = isPermanent(error) && error.code !== 'aborted';
    if (!sure) notes.push(`it is not known whether ephemeral container ${name} was added`);
    throw error;
  }
  const what = `ephemeral container ${name} with image ${image}`;
  notes.push(`pod spec changed: ${what} was added and stays in the spec`);
}

function requestOf(place: Place, profile: DebuggerProfile, dryRun: boolean) {
  const { pod, name, image, target } = place;
  const container = {
    name,
    image,
    command: mainCommand(secondsOf(place)),
    targetContainerName: target,
    securityContext: profile.securityContext,
  };
  return { ...podName(pod), container, dryRun };
}

function secondsOf({ msMax }: Place): number {
  return Math.ceil((msMax + AFTER_MS) / 1_000);
}

function podName({ metadata }: Pod) {
  return { namespace: metadata.namespace, pod: metadata.name };
}

const END_MS_MAX = 10_000;

/** Ends what runs in the debugger, whatever became of the attempt: so it has its own limit. */
async function end(place: Place): Promise<void> {
  const signal = AbortSignal.timeout(END_MS_MAX);
  try {
    await run(place, ['sh', '-c', END], signal);
    while (!(await isOver(place, signal))) await sleep(POLL_MS, undefined, { signal });
  } catch {
    const seconds = secondsOf(place);
    place.notes.push(`its end was not seen: it ends by itself ${seconds} s after its start`);
  }
}

async function run(place: Place, argv: readonly string[], signal: AbortSignal): Promise<void> {
  const request = { ...podName(place.pod), container: place.name, argv };
  await using ending = await exec(place.connection, request, signal);
  ending.exitCode.catch(() => undefined); // The container's end may come before the status.
  for await (const _ of ending.stdout);
}

async function isOver({ connection, pod, name }: Place, signal: AbortSignal): Promise<boolean> {
  const now = await getPod(connection, podName(pod), signal).catch((error: unknown) => {
    if (error instanceof KubernetesFault && error.code === 'not-found') return undefined;
    throw error;
  });
  if (now?.metadata.uid !== pod.metadata.uid) return true;
  return now.containers.find((one) => one.name === name)?.state.kind === 'terminated';
}
