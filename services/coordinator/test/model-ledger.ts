// SPDX-License-Identifier: Apache-2.0
import {
  type Acquisition,
  endsAcquisition,
  liveExecution,
  NO_ACQUISITION,
  next,
} from '@impound/contracts/chain.ts';
import type { EventContract } from '@impound/contracts/event.ts';
import { timeOf } from '@impound/contracts/time.ts';
import { ID } from './story.ts';

/** Something on its way to the model ledger. */
export interface ModelSay {
  readonly id: string;
  readonly contract: EventContract;
  readonly data: Record<string, unknown>;
  readonly expectedVersion?: number;
}

export type ModelReply = 'recorded' | 'repeated' | 'conflict' | 'fenced' | 'out-of-order';

/** One chain in memory, which takes and refuses what the ledger takes and refuses. */
export interface ModelLedger {
  state(): Acquisition;
  say(say: ModelSay, nowMs: number): ModelReply;
}

/** An empty chain; `recorded` sees each entry that is taken, with the state before it. */
export function modelLedger(
  recorded: (before: Acquisition, say: ModelSay) => void = () => undefined,
): ModelLedger {
  let state = NO_ACQUISITION;
  const ids = new Set<string>();
  const append = (say: ModelSay, nowMs: number) => {
    ids.add(say.id);
    recorded(state, say);
    const event = { id: say.id, tenant: 'default', type: say.contract.type, data: say.data };
    const entry = { acq: ID, acqSeq: state.version + 1, recordedAt: timeOf(nowMs), event };
    state = next(state, entry as never);
  };
  return {
    state: () => state,
    say: (say, nowMs) => {
      if (ids.has(say.id)) return 'repeated';
      const refused = refusalOf(state, say);
      if (refused === undefined) append(say, nowMs);
      if (refused === 'fenced') {
        const contract = { type: 'execution.fenced.v1' } as EventContract;
        append({ id: `${say.id}-fenced-${state.version}`, contract, data: {} }, nowMs);
      }
      return refused ?? 'recorded';
    },
  };
}

function refusalOf(state: Acquisition, say: ModelSay): ModelReply | undefined {
  const { contract, data, expectedVersion } = say;
  if (expectedVersion !== undefined && expectedVersion !== state.version) return 'conflict';
  const assigns = contract.type === 'acquisition.assigned.v1';
  const ended = state.ended !== undefined && (endsAcquisition(contract.type) || assigns);
  if (ended || (assigns && !isNextEpoch(state, data['epoch']))) return 'out-of-order';
  return contract.fence && isFenced(state, say) ? 'fenced' : undefined;
}

function isNextEpoch(state: Acquisition, epoch: unknown): boolean {
  const last = state.executions.at(-1)?.assigned.epoch ?? 0;
  return liveExecution(state) === undefined && epoch === last + 1;
}

function isFenced(state: Acquisition, { contract, data }: ModelSay): boolean {
  const live = liveExecution(state);
  if (live === undefined || live.assigned.epoch !== data['epoch']) return true;
  if (contract.fence === 'claim') return live.started !== undefined;
  return live.started?.worker !== data['worker'];
}
