// SPDX-License-Identifier: Apache-2.0
import { HEARTBEAT_MS, type Progress, progressSubject } from '@impound/contracts/progress.ts';
import { timeOf } from '@impound/contracts/time.ts';
import { messageOf } from './fault.ts';
import type { Message } from './message.ts';
import { measuresOf } from './metrics.ts';
import { METRICS } from './semantics.ts';
import type { House, Work } from './service.ts';
import { untraced } from './span.ts';
import { wait } from './wait.ts';

/** Whose heart beats, and how often. */
export interface Beating {
  readonly house: House;
  readonly message: Message;
  readonly everyMs?: number | undefined;
  /** Asked with each beat: why the work has to stop; undefined where it may go on. */
  readonly mayGoOn: (signal: AbortSignal) => Promise<Error | undefined>;
}

/** A heart that beats until it is stopped; `work` is what the job tells its progress with. */
export interface Heart {
  readonly work: Work;
  stop(): Promise<void>;
}

/** Says that the worker lives, asks whether it may go on, and aborts `stop` where it may not. */
export function heart(it: Beating, stop: AbortController): Heart {
  const over = new AbortController();
  const seen = { phase: 'started', files: 0, bytes: 0 };
  const measures = measuresOf(it.house.service);
  // One beat every few seconds, for hours: not in the trace of the acquisition.
  const beating = untraced(async () => {
    while (!over.signal.aborted) {
      publish(it, seen);
      const verdict = await it.mayGoOn(over.signal);
      if (verdict !== undefined && !over.signal.aborted) stop.abort(verdict);
      await wait(it.everyMs ?? HEARTBEAT_MS, over.signal);
    }
  });
  return {
    work: {
      worker: it.house.worker,
      progress: (phase, files, bytes) => {
        const more = countOf(bytes) - seen.bytes;
        if (more > 0) measures.count(METRICS.captured, more);
        Object.assign(seen, {
          phase: phaseOf(phase),
          files: countOf(files),
          bytes: countOf(bytes),
        });
      },
    },
    stop: async () => {
      over.abort();
      await beating;
    },
  };
}

const PHASE_CHARACTERS_MAX = 64;

/**
 * A heartbeat that does not fit its contract would be heard by nobody, and the epoch would lapse.
 */
function phaseOf(phase: string): string {
  const plain = phase.replaceAll(/\p{Cc}/gu, ' ').slice(0, PHASE_CHARACTERS_MAX);
  return plain.toWellFormed() || 'working';
}

function countOf(count: number): number {
  return Math.min(Math.max(0, Math.trunc(count) || 0), Number.MAX_SAFE_INTEGER);
}

function publish(
  { house, message }: Beating,
  seen: { phase: string; files: number; bytes: number },
): void {
  const progress: Progress = {
    tenant: message.tenant,
    acquisitionId: message.acquisitionId,
    epoch: message.data.epoch,
    worker: house.worker,
    at: timeOf(Date.now()),
    ...seen,
  };
  try {
    const subject = progressSubject(message.tenant, message.acquisitionId);
    house.connection.publish(subject, JSON.stringify(progress));
  } catch (error) {
    house.log.debug('progress not said', { because: messageOf(error) });
  }
}
