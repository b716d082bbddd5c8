// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Fleet } from './fleet.ts';

/** What one part of a fleet has used so far. */
export interface Usage {
  readonly name: string;
  readonly cpuMs: number;
  /** Resident now; of PostgreSQL without what its processes share. */
  readonly bytes: number;
}

/** What a part used between two looks. */
export interface Used {
  readonly name: string;
  /** Of one core. */
  readonly percent: number;
  readonly bytes: number;
}

const TICK_MS = 10;

/** Looks at every process of a fleet, in /proc; the processes of one part count together. */
export function usageOf(fleet: Fleet): readonly Usage[] {
  const parts = new Map<string, number[]>();
  for (const { service, lives } of fleet.members) {
    parts.set(service, [...(parts.get(service) ?? []), lives.at(-1)?.pid ?? 0]);
  }
  const postmaster = join(fleet.directory, 'postgres', 'cluster', 'postmaster.pid');
  const postgres = Number.parseInt(readFileSync(postmaster, 'utf8'), 10);
  parts.set('nats-server', [fleet.bus.now().pid]);
  parts.set('postgres', [postgres, ...childrenOf(postgres)]);
  parts.set('the drill itself', [process.pid]);
  return [...parts].map(([name, pids]) => ({
    name,
    cpuMs: sum(pids.map(cpuMsOf)),
    bytes: sum(pids.map((pid) => bytesOf(pid, name === 'postgres' ? 'RssAnon' : 'VmRSS'))),
  }));
}

/** What was used between two looks that lie so far apart. */
export function usedBetween(
  before: readonly Usage[],
  after: readonly Usage[],
  elapsedMs: number,
): readonly Used[] {
  return after.map(({ name, cpuMs, bytes }) => {
    const start = before.find((one) => one.name === name)?.cpuMs ?? 0;
    return { name, percent: (100 * (cpuMs - start)) / elapsedMs, bytes };
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((all, one) => all + one, 0);
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && fieldsOf(Number(name))[1] === String(pid))
    .map(Number);
}

/** The fields of /proc/<pid>/stat from the state on, which is the first; none where it ended. */
function fieldsOf(pid: number): readonly string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

function cpuMsOf(pid: number): number {
  const fields = fieldsOf(pid);
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * TICK_MS;
}

function bytesOf(pid: number, field: string): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) * 1_024;
  } catch {
    return 0;
  }
}
