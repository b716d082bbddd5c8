// SPDX-License-Identifier: Apache-2.0
import type { Acquisition } from './chain.ts';

/** One word for where an acquisition stands, for people and for polling clients. */
export type Status =
  | 'awaiting-approval'
  | 'resolving'
  | 'checking'
  | 'assigned'
  | 'executing'
  | 'storing'
  | 'deciding'
  | 'cancelling'
  | 'sealed'
  | 'failed'
  | 'cancelled'
  | 'expired'
  | 'refused'
  | 'joined'
  | 'denied';

/** The status of a folded chain. */
export function statusOf(state: Acquisition): Status {
  if (state.ended) return state.ended.type.split('.')[1] as Status;
  if (state.cancellation) return 'cancelling';
  if (!state.target && !state.missing) return 'resolving';
  if (!state.access && !state.missing) return 'checking';
  if (!state.approved) return 'awaiting-approval';
  return executionStatus(state);
}

function executionStatus(state: Acquisition): Status {
  const last = state.executions.at(-1);
  if (last === undefined || last.failed || last.lapsed || last.rejected) return 'deciding';
  if (last.stored) return 'deciding';
  if (last.captured) return 'storing';
  return last.started ? 'executing' : 'assigned';
}
