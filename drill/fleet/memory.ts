// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import type { Member } from './member.ts';

/** Memory of a process in bytes, as the kernel counts it. */
export interface Resident {
  readonly now: number;
  /** The most it ever was. */
  readonly peak: number;
}

/** What a member's process has in memory; shared program text counts too. */
export function residentOf(member: Pick<Member, 'name' | 'lives'>): Resident {
  const pid = member.lives.at(-1)?.pid;
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const bytes = (field: string): number => {
    const [, kibibytes] = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status) ?? [];
    if (kibibytes === undefined) throw new Error(`${member.name} has no ${field}: it has ended`);
    return Number(kibibytes) * 1_024;
  };
  return { now: bytes('VmRSS'), peak: bytes('VmHWM') };
}
