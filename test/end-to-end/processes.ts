// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const GONE_MS_MAX = 60_000;
const LOOK_MS = 50;

/** Waits until only these are in a container beside its main one: who ends needs a moment. */
export async function assertLeft(pid: number, left: readonly string[] = []): Promise<void> {
  const giveUpAt = Date.now() + GONE_MS_MAX;
  while (processesBeside(pid).length > left.length && Date.now() < giveUpAt) await delay(LOOK_MS);
  assert.deepEqual(processesBeside(pid), left);
}

/** The names of all processes in a container but its main one, whose id the host counts. */
export function processesBeside(pid: number): readonly string[] {
  return pidsBeside(pid)
    .map((one) => nameOf(String(one)))
    .filter((name) => name !== '');
}

/** The ids of the same, as the host counts. */
export function pidsBeside(pid: number): readonly number[] {
  const space = spaceOf(String(pid));
  if (space === undefined) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== String(pid))
    .filter((name) => spaceOf(name) === space)
    .map(Number);
}

/** Kills all of them at once; one that has ended by then is as good as killed. */
export function killBeside(pid: number): void {
  for (const one of pidsBeside(pid)) {
    try {
      process.kill(one, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

function spaceOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined; // it has ended meanwhile
  }
}

function nameOf(pid: string): string {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return /^State:\s+Z/m.test(status) ? '' : (/^Name:\s+(.*)$/m.exec(status)?.[1] ?? '');
  } catch {
    return '';
  }
}
