// SPDX-License-Identifier: Apache-2.0
import { memoryUsage } from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/**
 * How many of `count` pieces are done in a second. What the benchmark itself has thrown away, such
 * as the pieces of the turn before, is collected first: nobody shall be measured by that.
 */
export async function perSecond(
  count: number,
  work: () => Promise<unknown> | unknown,
): Promise<number> {
  collect();
  const began = performance.now();
  await work();
  return (count * 1_000) / (performance.now() - began);
}

/** Bytes that are still held, once what was thrown away is collected. */
export function held(): number {
  collect();
  const { heapUsed, arrayBuffers } = memoryUsage();
  return heapUsed + arrayBuffers;
}
