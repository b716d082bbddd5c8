// SPDX-License-Identifier: Apache-2.0
import { AcquisitionAssignedV1 } from '@impound/contracts/acquisition/assigned.v1.ts';
import { AcquisitionFailedV1 } from '@impound/contracts/acquisition/failed.v1.ts';
import type { Acquisition, Execution } from '@impound/contracts/chain.ts';
import type { EvidenceObject } from '@impound/contracts/evidence.ts';
import type { Method } from '@impound/contracts/methods.ts';
import { millisecondsOf, timeOf } from '@impound/contracts/time.ts';
import { exhaustedAdvice, noExecutorAdvice, noWayAdvice } from './advice.ts';
import { type Decision, deadlineMs, decided, type Now, waitUntil } from './decision.ts';
import { nextRung, type Rung, refusals, rungsOf, triesOf } from './ladder.ts';
import { EPOCHS_MAX, HAND_IN_MS_MAX, HAND_IN_SHARE, RETRY_DELAY_MS } from './limits.ts';
import { awaitsContext, fallOf, isUnclaimed } from './phase.ts';
import { listed } from './sentence.ts';

const SALVAGED_MAX = 64;
/** After these the pod's object is what it was. */
const LEAVE_THE_POD: ReadonlySet<Method> = new Set(['exec-stream', 'exec-direct']);

/** Whatever a first assignment needs and is not there yet: only others can bring it. */
export function awaiting(state: Acquisition): Decision | undefined {
  if (state.approved && state.target && state.access) return undefined;
  return waitUntil(state, Number.POSITIVE_INFINITY);
}

/**
 * Down the ladder: the next attempt, the wait before it, or the end of all attempts. That end waits
 * for the context, which may be all there is; so does what would change the pod.
 */
export function assigning(state: Acquisition, now: Now): Decision {
  const rung = state.executions.length < EPOCHS_MAX ? nextRung(state) : undefined;
  if (awaitsContext(state) && !(rung && LEAVE_THE_POD.has(rung.method))) {
    return waitUntil(state, Number.POSITIVE_INFINITY);
  }
  if (rungsOf(state).length + state.executions.length === 0) return noWayIn(state);
  if (rung === undefined) return exhausted(state);
  const dueMs = retryMs(triesOf(state, rung));
  if (now.nowMs < dueMs) return waitUntil(state, dueMs);
  const handInMs = handInAtMs(state);
  if (now.nowMs >= handInMs) return waitUntil(state, Number.POSITIVE_INFINITY);
  return assign(state, rung, handInMs);
}

function assign(state: Acquisition, rung: Rung, handInMs: number): Decision {
  const { request, target } = state;
  if (request === undefined || target === undefined) return {};
  const { containerId } = target.container;
  return decided(AcquisitionAssignedV1, {
    executor: rung.executor,
    method: rung.method,
    epoch: (state.executions.at(-1)?.assigned.epoch ?? 0) + 1,
    target: target.target,
    ...(containerId === undefined ? {} : { containerId }),
    caseId: request.caseId,
    profile: request.profile,
    paths: request.paths,
    deadline: timeOf(handInMs),
    budget: request.budget,
  });
}

/**
 * When the next attempt at a rung is due: at once for the first, and where a worker fell silent,
 * for its lease was the wait; doubling waits otherwise. Who was away has tried nothing.
 */
function retryMs(all: readonly Execution[]): number {
  const tries = all.filter((execution) => !isUnclaimed(execution));
  const last = tries.at(-1);
  if (last === undefined || last.lapsed !== undefined) return 0;
  const overMs = millisecondsOf(last.overAt ?? last.assignedAt);
  return overMs + RETRY_DELAY_MS * 2 ** (tries.length - 1);
}

function handInAtMs(state: Acquisition): number {
  const wholeMs = deadlineMs(state) - millisecondsOf(state.requestedAt);
  const handInMs = Math.min(HAND_IN_MS_MAX, Math.max(0, wholeMs * HAND_IN_SHARE));
  return deadlineMs(state) - Math.ceil(handInMs);
}

function noWayIn(state: Acquisition): Decision {
  return decided(AcquisitionFailedV1, {
    code: 'no-way-in',
    because: listed(refusals(state), 1_024),
    next: noWayAdvice(state),
    salvaged: [],
  });
}

function exhausted(state: Acquisition): Decision {
  const lastTries = new Map(
    state.executions.map((execution) => [
      `${execution.assigned.method} by ${execution.assigned.executor}`,
      execution,
    ]),
  );
  const reasons = [...lastTries].map(([rung, tried]) => `${rung}: ${fallOf(tried)?.because}`);
  const unanswered = state.executions.every((one) => fallOf(one)?.code === 'no-executor');
  const executors = new Set(state.executions.map(({ assigned }) => assigned.executor));
  return decided(AcquisitionFailedV1, {
    code: unanswered ? 'no-executor' : 'ladder-exhausted',
    because: listed(reasons, 1_024),
    next: unanswered ? noExecutorAdvice([...executors]) : exhaustedAdvice(state),
    salvaged: salvagedOf(state),
  });
}

function salvagedOf(state: Acquisition): EvidenceObject[] {
  const objects = state.executions.flatMap(({ failed }) => failed?.salvaged ?? []);
  return [...new Map(objects.map((object) => [object.key, object])).values()].slice(
    0,
    SALVAGED_MAX,
  );
}
