// SPDX-License-Identifier: Apache-2.0
import type { Acquisition } from '@impound/contracts/chain.ts';
import type { Progress } from '@impound/contracts/progress.ts';
import { millisecondsOf } from '@impound/contracts/time.ts';

/** Who was heard when: the lease clock. Times are Unix milliseconds. */
export interface Hearing {
  /** A heartbeat came in. */
  heard(progress: Progress, nowMs: number): void;
  /**
   * The ledger has answered. After a silence the coordinator was itself cut off or asleep, and
   * whoever was not heard in that time may have spoken: from here on they get their time again.
   */
  answered(nowMs: number): void;
  /** Remembers who works for which executor; a claim is a sign of life of its executor. */
  learn(state: Acquisition): void;
  forget(acquisitionId: string): void;
  lastHeardMs(state: Acquisition, epoch: number): number;
  /** When it was last heard at any work; whoever has just begun to listen has heard everybody. */
  executorHeardMs(executor: string): number;
}

/** Longer than the time between two sweeps, each of which asks the ledger. */
const SILENCE_MS = 15_000;
const WORKERS_MAX = 10_000;

interface Beat {
  readonly epoch: number;
  readonly worker: string;
  readonly atMs: number;
}

/** A lease clock that begins to listen now. Progress of unknown chains and workers is dropped. */
export function hearing(startedMs: number): Hearing {
  let sinceMs = startedMs;
  let answeredMs = startedMs;
  const beats = new Map<string, Beat | undefined>();
  const executors = new Map<string, string>();
  const atWork = new Map<string, number>();
  return {
    heard: ({ acquisitionId, epoch, worker }, nowMs) => {
      if (beats.has(acquisitionId)) beats.set(acquisitionId, { epoch, worker, atMs: nowMs });
      const executor = executors.get(worker);
      if (executor !== undefined) atWork.set(executor, nowMs);
    },
    answered: (nowMs) => {
      if (nowMs - answeredMs > SILENCE_MS) sinceMs = nowMs;
      answeredMs = nowMs;
    },
    learn: (state) => {
      if (!beats.has(state.acquisitionId)) beats.set(state.acquisitionId, undefined);
      const { started, startedAt = '' } = state.executions.at(-1) ?? {};
      if (started === undefined) return;
      const { worker, executor } = started;
      executors.set(worker, executor);
      // What takes less than a heartbeat is only heard of by its claim.
      atWork.set(executor, Math.max(atWork.get(executor) ?? 0, millisecondsOf(startedAt)));
      const oldest = executors.size > WORKERS_MAX ? executors.keys().next().value : undefined;
      if (oldest !== undefined) executors.delete(oldest);
    },
    forget: (id) => void beats.delete(id),
    lastHeardMs: ({ acquisitionId, executions }, epoch) => {
      const beat = beats.get(acquisitionId);
      const worker = executions.at(-1)?.started?.worker;
      const holder = beat?.epoch === epoch && beat.worker === worker;
      return Math.max(sinceMs, holder ? beat.atMs : 0);
    },
    executorHeardMs: (executor) => Math.max(sinceMs, atWork.get(executor) ?? 0),
  };
}
