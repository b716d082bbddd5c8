// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { tool } from './tools.ts';

const run = promisify(execFile);
const { O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = constants;

let counter = 0;

/** Which of a process's three streams lead to us; the others are /dev/null. */
export interface WantedStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

/**
 * The three streams of a process as named pipes. Node's own child pipes are sockets, which a
 * program cannot reopen through /dev/stdin and which buffer and break differently from pipes.
 */
export interface Fifos {
  /** Paths to open as descriptors 0, 1 and 2. */
  readonly paths: readonly [string, string, string];
  readonly stdin: Socket | undefined;
  readonly stdout: Socket | undefined;
  readonly stderr: Socket | undefined;
  /** To be called once the process has opened its ends: from then on end of file is real. */
  opened(): Promise<void>;
  destroy(): void;
}

/** Makes the named pipes that are wanted in a directory; they vanish when opened. */
export async function makeFifos(directory: string, wanted: WantedStreams): Promise<Fifos> {
  counter += 1;
  const number = counter;
  const path = (name: string): string => join(directory, `${number}.${name}`);
  const names = (['stdin', 'stdout', 'stderr'] as const).filter((name) => wanted[name]);
  if (names.length > 0) await run(tool('mkfifo'), ['-m', '600', ...names.map(path)]);
  const placeholders: number[] = [];
  const hold = (name: string): number => {
    const descriptor = openSync(path(name), O_RDWR | O_NONBLOCK);
    placeholders.push(descriptor);
    return descriptor;
  };
  const readable = (name: 'stdout' | 'stderr'): Socket | undefined => {
    if (!wanted[name]) return undefined;
    hold(name);
    const fd = openSync(path(name), O_RDONLY | O_NONBLOCK);
    return new Socket({ fd, readable: true, writable: false });
  };
  const writable = (): Socket | undefined => {
    if (!wanted.stdin) return undefined;
    hold('stdin');
    const fd = openSync(path('stdin'), O_WRONLY | O_NONBLOCK);
    return new Socket({ fd, readable: false, writable: true });
  };
  const streams = { stdin: writable(), stdout: readable('stdout'), stderr: readable('stderr') };
  let released = false;
  const release = async (): Promise<void> => {
    if (released) return;
    released = true;
    for (const descriptor of placeholders) closeSync(descriptor);
    await Promise.all(names.map((name) => unlink(path(name)).catch(() => undefined)));
  };
  const place = (name: 'stdin' | 'stdout' | 'stderr'): string =>
    wanted[name] ? path(name) : '/dev/null';
  return {
    ...streams,
    paths: [place('stdin'), place('stdout'), place('stderr')],
    opened: release,
    destroy: () => {
      void release();
      for (const stream of Object.values(streams)) stream?.destroy();
    },
  };
}
