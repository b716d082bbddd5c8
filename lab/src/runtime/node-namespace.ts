// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { tool } from './tools.ts';

const START_MS_MAX = 60_000;

// The first process of the node: says its host pid, then only collects the orphans of others.
const INIT =
  'read -r pid rest </proc/self/stat; echo "$pid"; exec >&-; while :; do sleep 3600 & wait; done';
const SWEEP =
  'read -r _; n=0; while [ $n -lt 50 ]; do rm -rf --one-file-system "$1" && exit; sleep 0.1; n=$((n+1)); done';

/** The machine the containers run on: one PID namespace, whose end is the end of all of them. */
export interface NodeNamespace extends AsyncDisposable {
  readonly directory: string;
  /** Process id, as the host counts, of the namespace's first process. */
  readonly pid: number;
  /** True without real root: users are then mapped in a user namespace. */
  readonly mapped: boolean;
}

/**
 * Opens a PID namespace (and a user namespace without root) that dies with this process, even
 * when that is killed, and a directory that is removed then. Throws if the host allows neither.
 */
export async function openNodeNamespace(signal?: AbortSignal): Promise<NodeNamespace> {
  signal?.throwIfAborted();
  const faults: string[] = [];
  for (const mapped of process.getuid?.() === 0 ? [false, true] : [true]) {
    const started = await startInit(mapped);
    if (typeof started === 'string') faults.push(started);
    else return await withDirectory(started, mapped);
  }
  throw new Error(
    `The lab cannot isolate containers here (${faults.join('; ')}). It needs root with ` +
      'CAP_SYS_ADMIN, or user namespaces for ordinary users: user.max_user_namespaces above 0, ' +
      'kernel.unprivileged_userns_clone=1 and kernel.apparmor_restrict_unprivileged_userns=0 ' +
      'where these settings exist, and a /proc without masked paths.',
  );
}

interface Init {
  readonly child: ChildProcess;
  readonly pid: number;
}

async function startInit(mapped: boolean): Promise<Init | string> {
  const user = mapped ? ['--user', '--map-root-user'] : [];
  // The trial mount of /proc finds out here, once, what would fail later in every container.
  const script = `mount -t proc proc "$1" && umount "$1" || exit 9; ${INIT}`;
  const command = [...user, '--pid', '--mount', '--propagation', 'private', '--fork'];
  const child = spawn(
    tool('setpriv'),
    [
      '--pdeathsig',
      'KILL',
      tool('unshare'),
      ...command,
      '--kill-child',
      'sh',
      '-c',
      script,
      'sh',
      '/mnt',
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } },
  );
  let said = '';
  child.stderr.on('data', (data: Buffer) => {
    said = `${said}${data.toString()}`.slice(0, 500);
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), START_MS_MAX);
  const closed = once(child, 'close').then(() => undefined);
  const line = await Promise.race([firstLine(child), closed]);
  clearTimeout(timer);
  if (line !== undefined) return { child, pid: Number(line) };
  return `${mapped ? 'with a user namespace' : 'as root'}: ${said.trim() || 'no answer'}`;
}

async function firstLine(child: ChildProcess): Promise<string | undefined> {
  if (child.stdout === null) return undefined;
  for await (const line of createInterface({ input: child.stdout })) return line;
  return undefined;
}

async function withDirectory(init: Init, mapped: boolean): Promise<NodeNamespace> {
  const directory = await mkdtemp(join(tmpdir(), 'impound-lab-'));
  // In a session of its own, so that neither Ctrl-C nor SIGKILL of this process leaves files.
  const sweeper = spawn(tool('sh'), ['-c', SWEEP, 'sh', directory], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  return {
    directory,
    pid: init.pid,
    mapped,
    [Symbol.asyncDispose]: async () => {
      await ended(init.child, () => init.child.kill('SIGKILL'));
      await ended(sweeper, () => sweeper.stdin.end());
    },
  };
}

async function ended(child: ChildProcess, end: () => void): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  end();
  await exit;
}
