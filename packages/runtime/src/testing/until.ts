// SPDX-License-Identifier: Apache-2.0
import { wait } from '../wait.ts';

const WAIT_MS_MAX = 120_000;
const LOOK_MS = 20;

/** Waits until `look` gives something true, and gives it. */
export async function until<T>(
  look: () => T | Promise<T>,
  what = String(look),
): Promise<NonNullable<T>> {
  const limit = AbortSignal.timeout(WAIT_MS_MAX);
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (limit.aborted) throw new Error(`not seen in ${WAIT_MS_MAX} ms: ${what}`);
    await wait(LOOK_MS, limit);
  }
}
