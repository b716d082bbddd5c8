// SPDX-License-Identifier: Apache-2.0

/** What may come at once, and how much of it comes back each second. */
export interface RateLimit {
  readonly burst: number;
  readonly perSecond: number;
}

/** A token bucket per name. Names are those of the configuration, so that they are few. */
export interface Rate {
  /** False where this one has to wait. */
  take(name: string, limit: RateLimit, nowMs: number): boolean;
}

const SECOND_MS = 1_000;

export function rateOf(): Rate {
  const buckets = new Map<string, { level: number; atMs: number }>();
  return {
    take: (name, limit, nowMs) => {
      const bucket = buckets.get(name) ?? { level: limit.burst, atMs: nowMs };
      const gained = ((nowMs - bucket.atMs) / SECOND_MS) * limit.perSecond;
      const level = Math.min(limit.burst, bucket.level + Math.max(0, gained));
      const taken = level >= 1;
      buckets.set(name, { level: taken ? level - 1 : level, atMs: nowMs });
      return taken;
    },
  };
}
