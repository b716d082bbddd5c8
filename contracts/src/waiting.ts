// SPDX-License-Identifier: Apache-2.0
import type { Acquisition, Execution } from './chain.ts';

/**
 * The executor that somebody may have to look after, in one sentence; undefined where an
 * acquisition does not wait for one to take what it was given. Who is away is waited for until the
 * deadline, which is long where it was never installed.
 */
export function waitsForExecutor(state: Acquisition): string | undefined {
  const { executions, ended, cancellation, request } = state;
  const last = executions.at(-1);
  if (ended || cancellation || last === undefined) return undefined;
  const { executor } = last.assigned;
  const answered = (one: Execution) =>
    one.started !== undefined || one.failed !== undefined || one.assigned.executor !== executor;
  const since = executions[executions.findLastIndex(answered) + 1]?.assignedAt;
  if (since === undefined) return undefined;
  return (
    `no executor-${executor} has answered since ${since}: start one, or look at its log and its ` +
    `connection to the bus; it is waited for until ${request?.deadline}, unless it is cancelled`
  );
}
