// SPDX-License-Identifier: Apache-2.0

/** What is done as time passes; both may reject. */
export interface Timely {
  sweep(signal: AbortSignal): Promise<void>;
  ring(signal: AbortSignal): Promise<void>;
}

/** Real time: one timer for the earliest moment, and a sweep now and again. */
export interface WallClock {
  /** Unix milliseconds. */
  nowMs(): number;
  /** Moves the one timer; undefined takes it away. */
  wake(atMs: number | undefined): void;
  /** Sweeps at once, then after each pause, and rings when it is time. */
  drive(timely: Timely): void;
}

/** The pause between two sweeps. */
export const SWEEP_MS = 10_000;
/** The longest that a timer of the platform can wait. */
const TIMER_MS_MAX = 2_147_483_647;

/**
 * A clock that stands still once the signal aborts. `troubled` is told why a sweep or a ring
 * failed; the next one tries again.
 */
export function wallClock(
  options: { readonly troubled: (error: unknown) => void; readonly sweepMs?: number },
  signal: AbortSignal,
): WallClock {
  const { troubled, sweepMs = SWEEP_MS } = options;
  let driven: Timely | undefined;
  const quietly = (work: Promise<void> | undefined) =>
    work?.catch((error: unknown) => {
      if (!signal.aborted) troubled(error);
    });
  const alarm = timer(() => void quietly(driven?.ring(signal)), signal);
  const pause = timer(() => void sweep(), signal);
  const sweep = async (): Promise<void> => {
    await quietly(driven?.sweep(signal));
    pause(Date.now() + sweepMs);
  };
  return {
    nowMs: () => Date.now(),
    wake: alarm,
    drive: (timely) => {
      driven = timely;
      void sweep();
    },
  };
}

/** One timer that can be moved; after the signal it never runs again. */
function timer(ring: () => void, signal: AbortSignal): (atMs: number | undefined) => void {
  let set: { readonly atMs: number; readonly timeout: NodeJS.Timeout } | undefined;
  const move = (atMs: number | undefined): void => {
    if (set?.atMs === atMs) return;
    clearTimeout(set?.timeout);
    set = undefined;
    if (atMs === undefined || signal.aborted) return;
    const milliseconds = Math.min(TIMER_MS_MAX, Math.max(0, atMs - Date.now()));
    const timeout = setTimeout(() => {
      set = undefined;
      ring();
    }, milliseconds);
    set = { atMs, timeout };
  };
  signal.addEventListener('abort', () => move(undefined), { once: true });
  return move;
}
