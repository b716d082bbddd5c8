// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from 'node:os';
import { wait } from '@impound/runtime/wait.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { type Usage, type Used, usageOf, usedBetween } from '../fleet/usage.ts';

const MIB = 2 ** 20;

/** What every part uses while so much time passes. */
export async function usedIn(
  fleet: Fleet,
  milliseconds: number,
  signal: AbortSignal,
): Promise<readonly Used[]> {
  const before = usageOf(fleet);
  const startedAt = performance.now();
  await wait(milliseconds, signal);
  return usedBetween(before, usageOf(fleet), performance.now() - startedAt);
}

/** A part and its figures in one line for people. */
export function figuresOf({ name, percent, bytes }: Used): string {
  const cpu = percent.toFixed(1).padStart(6);
  const memory = (bytes / MIB).toFixed(0).padStart(4);
  return `${name.padEnd(20)} ${cpu} % of a core, ${memory} MiB`;
}

/** What every part used between two looks, in lines for people. */
export function figures(
  before: readonly Usage[],
  after: readonly Usage[],
  elapsedMs: number,
): readonly string[] {
  const used = usedBetween(before, after, elapsedMs);
  const percent = used.reduce((all, one) => all + one.percent, 0).toFixed(0);
  const cores = availableParallelism();
  const lines = used.map((one) => `  ${figuresOf(one)}`);
  return [...lines, `all together ${percent} % of a core, of which there are ${cores}`];
}

/** How much processor time each of so many took, and which parts took most of it. */
export function costOf(
  before: readonly Usage[],
  after: readonly Usage[],
  acquisitions: number,
): string {
  const parts = usedBetween(before, after, 1).map(({ name, percent }) => ({
    name,
    ms: percent / 100 / Math.max(1, acquisitions),
  }));
  const all = parts.reduce((sum, { ms }) => sum + ms, 0);
  const told = parts
    .toSorted((one, other) => other.ms - one.ms)
    .map(({ name, ms }) => `${name} ${ms.toFixed(1)}`);
  return `${all.toFixed(1)} ms of processor time for each of ${acquisitions}: ${told.join(', ')}`;
}
