// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { pidsBeside } from '../../test/end-to-end/processes.ts';

/** How far the processes in a container have read in a file, whoever of them is the furthest. */
export function reachIn(containerPid: number, file: string): number {
  const { ino } = statSync(file);
  return Math.max(0, ...pidsBeside(containerPid).flatMap((pid) => reachesOf(pid, ino)));
}

function reachesOf(pid: number, ino: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/fd`)
      .filter((fd) => statSync(`/proc/${pid}/fd/${fd}`, { throwIfNoEntry: false })?.ino === ino)
      .map((fd) =>
        Number(/^pos:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1]),
      );
  } catch {
    return []; // it has ended meanwhile
  }
}
