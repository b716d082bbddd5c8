// SPDX-License-Identifier: Apache-2.0
import { readlink, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { tool } from './tools.ts';

const ARRIVAL_MS_MAX = 30_000;
const POLL_MS = 5;

/**
 * Waits until a process has its container's root and is the container's program. Before that its
 * root is the host's, and whoever entered it then would be on the host.
 */
export async function arrival(pid: number, root: string): Promise<void> {
  const until = Date.now() + ARRIVAL_MS_MAX;
  const place = await stat(root);
  while (!(await hasArrived(pid, place)) && Date.now() < until) await sleep(POLL_MS);
}

async function hasArrived(
  pid: number,
  place: { readonly dev: number; readonly ino: number },
): Promise<boolean> {
  try {
    const now = await stat(`/proc/${pid}/root/`);
    if (now.dev !== place.dev || now.ino !== place.ino) return false;
    const program = await readlink(`/proc/${pid}/exe`);
    return program !== tool('unshare') && program !== tool('nsenter');
  } catch (error) {
    // A process that is over already needs no waiting for.
    return ['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '');
  }
}
