// SPDX-License-Identifier: Apache-2.0
import type { Measures } from '@impound/runtime/metrics.ts';
import type { ConsumerState } from '@impound/runtime/relay.ts';
import { LABEL, METRICS } from '@impound/runtime/semantics.ts';
import { OPEN_STATES, type OpenTypes, openState } from '../domain/open-state.ts';
import type { Lag } from './ports.ts';

/** Every chain that has not ended, oldest first, and since when. */
export type OpenTypesReader = () => Promise<readonly (OpenTypes & { readonly sinceMs: number })[]>;

/** What the writing ledger can see of the house as a whole. */
export interface House {
  readonly measures: Measures;
  readonly open: OpenTypesReader;
  readonly consumers: () => Promise<readonly ConsumerState[]>;
}

const MILLISECONDS = 1_000;

/**
 * Shows what only the ledger that writes may show, lest three ledgers count everything thrice:
 * what is open, what is not yet told, and what nobody hears. Until the signal aborts.
 */
export function watchHouse(house: House, lag: () => Promise<Lag>, signal: AbortSignal): void {
  const { measures } = house;
  measures.watch([METRICS.writing], (tell) => tell(METRICS.writing, 1), signal);
  measures.watch(
    [METRICS.untold, METRICS.untoldAge],
    async (tell) => {
      const { untold, sinceMs } = await lag();
      if (untold !== undefined) tell(METRICS.untold, untold);
      tell(METRICS.untoldAge, sinceMs === undefined ? 0 : ageOf(sinceMs));
    },
    signal,
  );
  measures.watch(
    [METRICS.open, METRICS.openAge],
    async (tell) => {
      const chains = Map.groupBy(await house.open(), openState);
      for (const state of OPEN_STATES) {
        const [oldest] = chains.get(state) ?? [];
        const labels = { [LABEL.state]: state };
        tell(METRICS.open, chains.get(state)?.length ?? 0, labels);
        tell(METRICS.openAge, oldest === undefined ? 0 : ageOf(oldest.sinceMs), labels);
      }
    },
    signal,
  );
  measures.watch(
    [METRICS.pending, METRICS.unsettled],
    async (tell) => {
      for (const { durable, pending, unsettled } of await house.consumers()) {
        tell(METRICS.pending, pending, { [LABEL.consumer]: durable });
        tell(METRICS.unsettled, unsettled, { [LABEL.consumer]: durable });
      }
    },
    signal,
  );
}

function ageOf(sinceMs: number): number {
  return Math.max(0, Date.now() - sinceMs) / MILLISECONDS;
}
