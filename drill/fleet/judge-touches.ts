// SPDX-License-Identifier: Apache-2.0
import { endsAcquisition } from '@impound/contracts/chain.ts';
import type { Entry } from '@impound/contracts/entry.ts';

/** Something that was done to a pod, as the cluster itself saw it. Times are Unix milliseconds. */
export interface Touch {
  readonly pod: string;
  /** The process that did it; undefined: nobody whom the fleet knows. */
  readonly worker: string | undefined;
  readonly what: string;
  readonly atMs: number;
  /** When the command had ended in the container; undefined: it runs still. */
  readonly overMs: number | undefined;
}

/** A touch after its epoch was over: what a worker does that does not know it yet. */
export interface LateTouch {
  readonly acquisitionId: string;
  readonly epoch: number;
  readonly worker: string;
  /** How long after the end of its epoch it began. */
  readonly afterMs: number;
}

/** What was done to the targets, held against the claims on record. */
export interface JudgedTouches {
  readonly touches: number;
  readonly late: readonly LateTouch[];
  readonly findings: readonly string[];
}

interface Claim {
  readonly acquisitionId: string;
  readonly pod: string;
  readonly epoch: number;
  readonly worker: string;
  readonly atMs: number;
  readonly overMs: number;
}

/**
 * No touch without a claim that was on record before, and under one epoch nobody but its holder,
 * who does one thing at a time.
 */
export function judgeTouches(
  chains: Iterable<readonly Entry[]>,
  touches: readonly Touch[],
): JudgedTouches {
  const claims = [...chains].flatMap(claimsOf).toSorted((a, b) => a.atMs - b.atMs);
  const findings: string[] = [];
  const late: LateTouch[] = [];
  const underEpoch = new Map<Claim, Touch[]>();
  for (const touch of touches.toSorted((a, b) => a.atMs - b.atMs)) {
    const claim = claimOf(touch, claims, underEpoch);
    if (claim === undefined) {
      findings.push(`${touch.what} on ${touch.pod} by ${touch.worker}: no claim was on record`);
      continue;
    }
    const { acquisitionId, epoch, worker, overMs } = claim;
    if (touch.atMs > overMs) {
      late.push({ acquisitionId, epoch, worker, afterMs: touch.atMs - overMs });
    }
    const beside = runningUnder(claim, touch.atMs, underEpoch);
    if (beside !== undefined) {
      findings.push(`${acquisitionId} epoch ${epoch}: ${touch.what} beside ${beside.what}`);
    }
    underEpoch.set(claim, [...(underEpoch.get(claim) ?? []), touch]);
  }
  return { touches: touches.length, late, findings };
}

/**
 * The claim that a touch was made under. A worker may hold several acquisitions of one pod, and a
 * touch does not name its own: so it goes to one under which nothing runs, where there is any.
 */
function claimOf(
  { pod, worker, atMs }: Touch,
  claims: readonly Claim[],
  underEpoch: ReadonlyMap<Claim, readonly Touch[]>,
): Claim | undefined {
  const before = claims.filter(
    (one) => one.pod === pod && one.worker === worker && one.atMs <= atMs,
  );
  const live = before.filter(({ overMs }) => atMs <= overMs);
  const free = live.find((one) => runningUnder(one, atMs, underEpoch) === undefined);
  return free ?? live.at(-1) ?? before.at(-1);
}

/** What was still running under a claim at that moment. */
function runningUnder(
  claim: Claim,
  atMs: number,
  underEpoch: ReadonlyMap<Claim, readonly Touch[]>,
): Touch | undefined {
  const touches = underEpoch.get(claim) ?? [];
  return touches.find(({ overMs = Number.POSITIVE_INFINITY }) => overMs > atMs);
}

function claimsOf(chain: readonly Entry[]): Claim[] {
  const pod = podOf(chain);
  return chain.flatMap(({ acq, event, recordedAt }, at) => {
    if (event.type !== 'execution.started.v1') return [];
    const { epoch, worker } = event.data as { epoch: number; worker: string };
    const over = chain.slice(at).find((one) => isOver(one, epoch));
    const overMs = over ? Date.parse(over.recordedAt) : Number.POSITIVE_INFINITY;
    return [{ acquisitionId: acq, pod, epoch, worker, atMs: Date.parse(recordedAt), overMs }];
  });
}

const ENDS_EPOCH = ['execution.failed.v1', 'execution.lapsed.v1', 'evidence.captured.v1'];

function isOver({ event }: Entry, epoch: number): boolean {
  if (endsAcquisition(event.type)) return true;
  return ENDS_EPOCH.includes(event.type) && event.data['epoch'] === epoch;
}

function podOf(chain: readonly Entry[]): string {
  const target = chain[0]?.event.data['target'] as { pod?: string } | undefined;
  return target?.pod ?? '';
}
