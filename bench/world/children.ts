// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Environment } from '@impound/runtime/config.ts';

/** The pretend cluster as a benchmark sees it. */
export interface LabChild extends AsyncDisposable {
  readonly pid: number;
  readonly kubeconfig: string;
  /** The root directory of the demo's container, on this machine. */
  readonly files: string;
}

/** Starts the pretend cluster of the demo in a process of its own. */
export async function startLab(): Promise<LabChild> {
  const path = fileURLToPath(new URL('lab.ts', import.meta.url));
  const child = fork(path, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const [told] = await firstOf(child, 'message');
  const about = told as { readonly kubeconfig: string; readonly files: string };
  return {
    ...about,
    pid: child.pid ?? 0,
    [Symbol.asyncDispose]: async () => {
      child.disconnect();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

async function firstOf(child: ChildProcess, event: string): Promise<unknown[]> {
  const over = new AbortController();
  const ended = once(child, 'exit', over).then(([code]) => {
    throw new Error(`a process of the benchmark ended with ${code} before it was ready`);
  });
  try {
    return await Promise.race([once(child, event, over), ended]);
  } finally {
    over.abort();
    ended.catch(() => undefined);
  }
}

/** A service in a process of its own. */
export interface ServiceChild extends AsyncDisposable {
  readonly pid: number;
}

/** Starts one service as production does, and waits until it says that it is ready. */
export async function startService(name: string, environment: Environment): Promise<ServiceChild> {
  const main = fileURLToPath(new URL(`../../services/${name}/src/main.ts`, import.meta.url));
  const child = fork(main, [], { env: environment, stdio: ['ignore', 'inherit', 'pipe', 'ipc'] });
  const { stderr } = child;
  if (stderr === null || child.pid === undefined) throw new Error(`${name} did not start`);
  const lines: string[] = [];
  for await (const line of createInterface({ input: stderr })) {
    lines.push(line);
    if (line.includes('service ready')) break;
  }
  if (!lines.at(-1)?.includes('service ready')) throw new Error(`${name}: ${lines.join('\n')}`);
  stderr.resume();
  child.disconnect();
  return {
    pid: child.pid,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

/** Jiffies of /proc/PID/stat in a second: USER_HZ, which Linux fixes for all architectures here. */
const TICKS = 100;

/** Seconds of processor that a process has used by itself, all its threads together. */
export function processorSeconds(pid: number): number {
  return secondsIn(pid, UTIME);
}

/** Seconds of processor of a process's children, and of theirs, that have ended. */
export function childrenSeconds(pid: number): number {
  return secondsIn(pid, CUTIME);
}

/** Where user time stands in /proc/PID/stat behind the name, system time behind it (proc(5)). */
const [UTIME, CUTIME] = [11, 13];

function secondsIn(pid: number, at: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[at]) + Number(fields[at + 1])) / TICKS;
}
