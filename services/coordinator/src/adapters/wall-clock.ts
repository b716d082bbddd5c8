// SPDX-License-Identifier: Apache-2.0

/** What is done as time passes; both may reject. */
export interface Timely {
  sweep(signal: AbortSignal): Promise<void>;
  ring(signal: AbortSignal): Promise<void>;
}

/** Real time: one timer for the earliest moment, and a sweep now and again. */
export interface WallClock {
  nowMs(): number;
  /** Moves the one timer; undefined takes it away. */
  wake(atMs: number | undefined): void;
  /** Sweeps at once, then after each pause, and rings when it is time; ends with the signal. */
  drive(timely: Timely, signal: AbortSignal): void;
}

/** The pause between two sweeps. */
export const SWEEP_MS = 10_000;
/** The longest that a timer of the platform can wait. */
const TIMER_MS_MAX = 2_147_483_647;

/** A clock; `troubled` is told why a sweep or a ring failed: the next one tries again. */
export function wallClock(troubled: (error: unknown) => void, sweepMs = SWEEP_MS): WallClock {
  let timer: NodeJS.Timeout | undefined;
  let setForMs: number | undefined;
  let onRing: () => void = () => undefined;
  const wake = (atMs: number | undefined): void => {
    if (atMs === setForMs && timer !== undefined) return;
    clearTimeout(timer);
    setForMs = atMs;
    timer = undefined;
    if (atMs === undefined) return;
    const ms = Math.min(TIMER_MS_MAX, Math.max(0, atMs - Date.now()));
    timer = setTimeout(() => {
      timer = undefined;
      onRing();
    }, ms);
  };
  const drive = (timely: Timely, signal: AbortSignal): void => {
    const quietly = (work: Promise<void>) =>
      work.catch((error: unknown) => {
        if (!signal.aborted) troubled(error);
      });
    let sweeping: NodeJS.Timeout | undefined;
    const sweep = async (): Promise<void> => {
      await quietly(timely.sweep(signal));
      if (!signal.aborted) sweeping = setTimeout(() => void sweep(), sweepMs);
    };
    onRing = () => void (signal.aborted || quietly(timely.ring(signal)));
    const end = () => {
      clearTimeout(sweeping);
      onRing = () => undefined;
      wake(undefined);
    };
    signal.addEventListener('abort', end, { once: true });
    void sweep();
  };
  return { nowMs: () => Date.now(), wake, drive };
}
