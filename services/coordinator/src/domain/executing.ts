// SPDX-License-Identifier: Apache-2.0
import type { Acquisition, Execution } from '@impound/contracts/chain.ts';
import { ExecutionLapsedV1 } from '@impound/contracts/execution/lapsed.v1.ts';
import { LEASE_MS } from '@impound/contracts/progress.ts';
import { millisecondsOf, timeOf } from '@impound/contracts/time.ts';
import { type Decision, decided, type Now, waitUntil } from './decision.ts';
import { unclaimedBy } from './ladder.ts';
import { CLAIM_BUSY_MS_MAX, CLAIM_MS } from './limits.ts';
import { inFlight, phaseOf, silence } from './phase.ts';
import { cut } from './sentence.ts';

/** While an epoch is in flight: wait for it, or end it where its holder fell silent. */
export function executing(state: Acquisition, now: Now): Decision | undefined {
  const last = state.executions.at(-1);
  if (!inFlight(last)) return undefined;
  const phase = phaseOf(last);
  if (phase === 'captured') return waitUntil(state, Number.POSITIVE_INFINITY);
  return phase === 'claimed' ? leased(state, last, now) : unclaimed(state, last, now);
}

/** Ends an epoch: from here on the ledger refuses what its holder says. */
export function lapse(execution: Execution, because: string, heardMs?: number): Decision {
  return decided(ExecutionLapsedV1, {
    epoch: execution.assigned.epoch,
    because: cut(because, 512),
    ...(heardMs === undefined ? {} : { lastHeardAt: timeOf(heardMs) }),
  });
}

function leased(state: Acquisition, execution: Execution, now: Now): Decision {
  const startedMs = millisecondsOf(execution.startedAt ?? execution.assignedAt);
  const heardMs = Math.max(startedMs, now.lastHeardMs(execution.assigned.epoch) ?? 0);
  const endMs = heardMs + LEASE_MS;
  if (now.nowMs < endMs) return waitUntil(state, endMs);
  return lapse(execution, silence(execution.started?.worker ?? ''), heardMs);
}

function unclaimed(state: Acquisition, execution: Execution, now: Now): Decision {
  const { executor } = execution.assigned;
  const assignedMs = millisecondsOf(execution.assignedAt);
  // Who is away finds the assignment when it is back: to end it only says that nobody is there.
  const awayMs = CLAIM_MS * 2 ** unclaimedBy(state.executions.slice(0, -1), executor);
  // Who is heard is at work as long as a worker is: where the ledger changes nobody can claim.
  const heardEndMs = (now.executorHeardMs(executor) ?? 0) + LEASE_MS;
  const busyEndMs = Math.min(heardEndMs, assignedMs + CLAIM_BUSY_MS_MAX);
  const endMs = Math.max(assignedMs + awayMs, busyEndMs);
  if (now.nowMs < endMs) return waitUntil(state, endMs);
  return lapse(execution, `executor ${executor} did not claim the assignment`);
}
