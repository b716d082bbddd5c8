// SPDX-License-Identifier: Apache-2.0
import type { WorkerId } from '@impound/contracts/ids.ts';
import type { Work } from '@impound/runtime/service.ts';
import {
  type Assignment,
  type CollectDeps,
  collect,
  collectionFailed,
  timeLeftMs,
} from './collect.ts';
import type { Shell } from './shell.ts';

/** One try from beside the target: what it adds to the pod is called so, and ends by then. */
export interface Beside {
  readonly name: string;
  readonly msMax: number;
}

/** The ways in of an executor that may also stand beside the container. */
export interface Ways extends CollectDeps {
  /** A shell for one assignment, in an ephemeral container of that name. */
  readonly beside: (attempt: Beside) => Shell;
}

/** Collects by the way that the assignment's method names. */
export async function collectBy(
  message: Assignment,
  { beside, ...deps }: Ways,
  work: Work,
  signal: AbortSignal,
): ReturnType<typeof collect> {
  if (message.data.method !== 'ephemeral-container') {
    return await collect(message, deps, work, signal);
  }
  const attempt = { name: besideName(message), msMax: timeLeftMs(message) };
  return await collect(message, { ...deps, shell: beside(attempt) }, work, signal);
}

/** What is said of an execution that threw, with the name of what it may have left in the pod. */
export function collectByFailed(
  message: Assignment,
  fault: Parameters<typeof collectionFailed>[1],
  worker: WorkerId,
): ReturnType<typeof collectionFailed> {
  const said = collectionFailed(message, fault, worker);
  const { footprint } = said.data;
  if (message.data.method !== 'ephemeral-container' || !footprint.touched) return said;
  const note = `an ephemeral container ${besideName(message)} in the pod's spec is of this try`;
  const notes = [note, ...footprint.notes];
  return { ...said, data: { ...said.data, footprint: { ...footprint, notes } } };
}

/** Another one for each epoch: a name may not be used twice in a pod. */
function besideName({ acquisitionId, data }: Assignment): string {
  return `impound-${acquisitionId}-e${data.epoch}`;
}
