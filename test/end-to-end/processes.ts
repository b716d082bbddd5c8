// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

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
