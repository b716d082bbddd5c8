// SPDX-License-Identifier: Apache-2.0
import type { AccessCheckedV1 } from '@impound/contracts/access/checked.v1.ts';
import type { Acquisition, Execution } from '@impound/contracts/chain.ts';
import type { Method } from '@impound/contracts/methods.ts';
import { ATTEMPTS_MAX, UNTOUCHED_ATTEMPTS_MAX } from './limits.ts';
import { fallOf, isUnclaimed } from './phase.ts';

/** One way in: a method, and the executor that tries it. */
export type Rung = AccessCheckedV1['ladder'][number];

/**
 * The rungs that may be tried, in the order in which they are: what is allowed before what is
 * unknown, each in the order of the ladder. A request that names its methods restricts them and
 * puts its own order first. What is denied is never tried.
 */
export function rungsOf(state: Acquisition): readonly Rung[] {
  const ladder = state.access?.ladder ?? [];
  const sure = ladder.filter(({ verdict }) => verdict === 'allowed');
  const unsure = ladder.filter(({ verdict }) => verdict === 'unknown');
  const rungs = distinct([...sure, ...unsure]);
  const wanted = state.request?.methods;
  if (wanted === undefined) return rungs;
  return distinct(wanted.flatMap((method) => rungs.filter((rung) => rung.method === method)));
}

/** The epochs that tried this rung, oldest first. */
export function triesOf(state: Acquisition, rung: Rung): readonly Execution[] {
  return state.executions.filter(
    ({ assigned }) => assigned.method === rung.method && assigned.executor === rung.executor,
  );
}

/** How many of its last assignments an executor has left unclaimed. */
export function unclaimedBy(executions: readonly Execution[], executor: string): number {
  const own = executions.filter(({ assigned }) => assigned.executor === executor);
  return own.length - 1 - own.findLastIndex((execution) => !isUnclaimed(execution));
}

/**
 * The rung to try next: the first one that has chances left, and rather one whose executor claims
 * what it is given; where none has, the first one whose tries mostly ended before anything was
 * touched, as where a cluster does not answer for a while.
 */
export function nextRung(state: Acquisition): Rung | undefined {
  const rungs = rungsOf(state);
  const away = ({ executor }: Rung) => unclaimedBy(state.executions, executor);
  const within = (chancesMax: number) =>
    rungs
      .filter((rung) => !isSpent(triesOf(state, rung), chancesMax))
      .toSorted((a, b) => away(a) - away(b))[0];
  return within(ATTEMPTS_MAX) ?? within(UNTOUCHED_ATTEMPTS_MAX);
}

/**
 * Whether a rung has had its chances. An executor that was told to stop, as in a rolling
 * deployment, or was away has had none; EPOCHS_MAX bounds those as well.
 */
function isSpent(tries: readonly Execution[], chancesMax: number): boolean {
  const chances = tries.filter((execution) => {
    return execution.failed?.code !== 'stopping' && !isUnclaimed(execution);
  });
  const touched = chances.filter(({ failed }) => failed?.footprint.touched !== false);
  return (
    chances.length >= chancesMax ||
    touched.length >= ATTEMPTS_MAX ||
    tries.some((execution) => fallOf(execution)?.permanent)
  );
}

/** One sentence for each rung that cannot be tried, and for each wanted method without a rung. */
export function refusals(state: Acquisition): readonly string[] {
  const ladder = state.access?.ladder ?? [];
  const wanted = state.request?.methods;
  const rungs = ladder.map(({ method, because }) =>
    wanted && !wanted.includes(method)
      ? `${method}: the request does not allow it`
      : `${method}: ${because}`,
  );
  const offered = new Set<Method>(ladder.map(({ method }) => method));
  const absent = (wanted ?? [])
    .filter((method) => !offered.has(method))
    .map((method) => `${method}: no executor offers it for this target`);
  const all = [...rungs, ...absent];
  return all.length > 0 ? all : ['no executor offers any method for this target'];
}

function distinct(rungs: readonly Rung[]): readonly Rung[] {
  return [...new Map(rungs.map((rung) => [`${rung.method} ${rung.executor}`, rung])).values()];
}
