// SPDX-License-Identifier: Apache-2.0
import { AcquisitionJoinedV1 } from '@impound/contracts/acquisition/joined.v1.ts';
import type { Acquisition } from '@impound/contracts/chain.ts';
import type { AcquisitionId } from '@impound/contracts/ids.ts';
import { formatTarget } from '@impound/contracts/target.ts';
import { type Decision, deadlineMs, decided, type Now } from './decision.ts';
import { cut } from './sentence.ts';

/** Whether this chain could still share the result of an older one: before its first assignment. */
export function mayJoin(state: Acquisition): boolean {
  if (state.request === undefined || !state.approved) return false;
  return state.executions.length === 0 && isWanted(state);
}

/**
 * Many requests for the same things become one acquisition: each younger one joins the oldest. The
 * oldest has nobody to join, so one always remains.
 */
export function joined(state: Acquisition, now: Now): Decision | undefined {
  if (!mayJoin(state)) return undefined;
  const older = now.others.find((other) => joinable(state, other, now.nowMs));
  if (older?.request === undefined) return undefined;
  const what = formatTarget(older.request.target);
  return decided(AcquisitionJoinedV1, {
    joins: older.acquisitionId as AcquisitionId,
    because: cut(`being acquired since ${older.requestedAt}: ${what}`, 512),
  });
}

/** Whether an older chain will give what this one wants. */
export function joinable(state: Acquisition, older: Acquisition, nowMs: number): boolean {
  if (!older.approved || !isWanted(older) || nowMs >= deadlineMs(older)) return false;
  return older.tenant === state.tenant && wish(older) === wish(state);
}

function isWanted({ ended, cancellation, missing }: Acquisition): boolean {
  return !ended && !cancellation && !missing;
}

/** What is asked for, as a key: two requests with the same key want the same things. */
function wish({ request }: Acquisition): string {
  if (request === undefined) return '';
  const { target, profile, paths, methods } = request;
  return JSON.stringify([formatTarget(target), profile, paths, methods ?? null]);
}
