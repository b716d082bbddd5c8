// SPDX-License-Identifier: Apache-2.0
import { type BigIntStats, statSync } from 'node:fs';

/** What a file system tells of a file that changes whenever the file does. */
export type Marked = Pick<BigIntStats, 'dev' | 'ino' | 'size' | 'mtimeNs' | 'ctimeNs'>;

/** The clock of a file system moves by ticks: what is done in the same one does not show. */
const TICK_MS_MAX = 1_000;

/** At once: another thread would have to wake up for what takes some microseconds. Throws. */
export function lookAt(path: string): Marked {
  return statSync(path, { bigint: true });
}

/** Tells one state of a file from another. */
export function markOf({ dev, ino, size, mtimeNs, ctimeNs }: Marked): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join('.');
}

/** Whether every change from now on shows in its mark: not just after it was touched. */
export function isSettled({ ctimeNs }: Marked): boolean {
  return Math.abs(Date.now() - Number(ctimeNs / 1_000_000n)) > TICK_MS_MAX;
}
