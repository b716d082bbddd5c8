// SPDX-License-Identifier: Apache-2.0
import type { Acquisition, Execution } from '@impound/contracts/chain.ts';
import { LEASE_MS } from '@impound/contracts/progress.ts';

/** The object that names every file of a capture. */
export const MANIFEST = 'manifest.jsonl';

/**
 * Where one epoch stands. `whole`: every captured object was read back from the store, so it can
 * be sealed. `over`: it gave nothing that can be sealed.
 */
export type Phase = 'assigned' | 'claimed' | 'captured' | 'whole' | 'over';

/** The phase of an epoch. A word of the uploader about what was never captured counts nothing. */
export function phaseOf(execution: Execution): Phase {
  if (execution.failed || execution.lapsed) return 'over';
  if (execution.captured === undefined) return execution.started ? 'claimed' : 'assigned';
  if (execution.stored) return gapOf(execution) === undefined ? 'whole' : 'over';
  return execution.rejected ? 'over' : 'captured';
}

/** Whether the context of a target that was found is still on its way into the store. */
export function awaitsContext({ target, contextStored }: Acquisition): boolean {
  return target !== undefined && contextStored === undefined;
}

/** Whether an assignment lapsed before anybody claimed it: its executor was away. */
export function isUnclaimed({ lapsed, started }: Execution): boolean {
  return lapsed !== undefined && started === undefined;
}

/** What is still to come from an epoch, if anything. */
export function inFlight(execution: Execution | undefined): execution is Execution {
  return execution !== undefined && !['whole', 'over'].includes(phaseOf(execution));
}

/** What is missing from a stored capture; undefined: it is whole. */
export function gapOf({ captured, stored }: Execution): string | undefined {
  if (!captured || !stored) return 'nothing was stored';
  if (!captured.objects.some(({ name }) => name === MANIFEST)) {
    return `${MANIFEST} is not among the captured objects`;
  }
  const digests = new Map(stored.objects.map(({ key, sha256 }) => [key, sha256]));
  const lost = captured.objects.find(({ key, sha256 }) => digests.get(key) !== sha256);
  return lost && `${lost.name} was captured and is not among the stored objects`;
}

/** Why an epoch is over. */
export interface Fall {
  readonly code: string;
  /** True where trying the same rung again cannot help. */
  readonly permanent: boolean;
  readonly because: string;
}

/** Why an epoch that is over gave nothing; undefined where it is not over. */
export function fallOf(execution: Execution): Fall | undefined {
  if (phaseOf(execution) !== 'over') return undefined;
  const { assigned, failed, lapsed, stored, rejected } = execution;
  if (failed) return failed;
  const transient = { permanent: false };
  if (isUnclaimed(execution)) {
    const because = `executor ${assigned.executor} did not answer`;
    return { ...transient, code: 'no-executor', because };
  }
  if (lapsed) return { ...transient, code: 'lapsed', because: lapsed.because };
  if (stored) return { ...transient, code: 'incomplete', because: gapOf(execution) ?? '' };
  return { ...transient, code: rejected?.code ?? '', because: rejected?.because ?? '' };
}

/** The sentence for a worker that fell silent; the same from every coordinator. */
export function silence(worker: string): string {
  return `worker ${worker} was not heard for ${LEASE_MS / 1_000} s`;
}
