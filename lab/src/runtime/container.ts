// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { createInterface } from 'node:readline';
import { arrival } from './arrival.ts';
import { whyNotRunnable } from './command-lookup.ts';
import { type Confinement, confine } from './confinement.ts';
import { type Fifos, makeFifos, type WantedStreams } from './fifo.ts';
import type { LogBuffer } from './log-buffer.ts';
import { logBuffer } from './log-buffer.ts';
import type { NodeNamespace } from './node-namespace.ts';
import type { Mount } from './rootfs.ts';
import { tool } from './tools.ts';

const START_MS_MAX = 60_000;
const HOST_PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

// Runs in the new namespaces: mounts, and goes on with the host's programs seen through the node
// (`$node`), since the container's own root will have none of them.
const SETUP = `
own=$PATH PATH=${HOST_PATH}
root=$1 name=$2 out=$3 mounts=$4 node=$5 pivot=$6; shift 6
hostname "$name" 2>/dev/null
mount --bind "$root" "$root" || exit 1
printf '%s\\n' "$mounts" | while read -r kind from to; do
  case $kind in
    proc) mount -t proc proc "$root$to" || exit 1 ;;
    tmpfs) mount -t tmpfs -o mode=1777 tmpfs "$root$to" || exit 1 ;;
    seal) mount -o remount,bind,ro "$root$to" || exit 1 ;;
    bind) mount --bind "$from" "$root$to" || exit 1 ;;
    read-only) mount --rbind "$from" "$root$to" || exit 1
      mount -o remount,bind,ro "$root$to" 2>/dev/null || true ;;
  esac
done || exit 1
cd "$root" || exit 1
read -r pid rest </proc/self/stat
exec 3>"$out"
if [ "$pivot" = '' ]; then
  echo "$pid"
  PATH=$own exec "$@" </dev/null >&3 2>&3 3>&-
fi
nsenter=$(command -v nsenter)
PATH=$own exec "$nsenter" --root="/proc/$node/root" --wd=. /bin/sh -c "$pivot" sh "$pid" "$@"
`;

// Makes the container's root the namespace's root and lets go of the host's, says the host's
// number of this process, and becomes the container's program.
const PIVOT = `
own=$PATH PATH=${HOST_PATH} pid=$1; shift
nsenter --target "$pid" --mount --wd=. pivot_root . . && umount -c -l . || exit 1
echo "$pid"
PATH=$own
exec "$@" </dev/null >&3 2>&3 3>&-
`;

// Opens the named pipes inside, so that no process outside holds them, then becomes the program.
// The fork is the shell's and not nsenter's, which would stop for good with a stopped child.
const JOIN = `(
  exec 3<"$1" 4>"$2" 5>"$3" || exit 1
  shift 3
  read -r pid rest </proc/self/stat
  echo "$pid"
  exec "$@" <&3 >&4 2>&5 3<&- 4>&- 5>&-
); exit $?`;

/** What a container is made of. */
export interface ContainerPlan extends Confinement {
  readonly root: string;
  readonly hostname: string;
  readonly mounts: readonly Mount[];
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly ownNetwork: boolean;
  /** The running container whose PID namespace is joined, for ephemeral containers. */
  readonly joins?: Container;
}

/** How a process ended; a signal N is reported as 128+N, as container runtimes do. */
export interface Ended {
  readonly code: number;
  readonly at: Date;
}

/** A command running in a container. Nothing ends it but itself or the container's end. */
export interface Execution {
  /** Process id as the host counts. */
  readonly pid: number;
  readonly stdin: Socket | undefined;
  readonly stdout: Socket | undefined;
  readonly stderr: Socket | undefined;
  readonly ended: Promise<Ended>;
  /** Lets go of the pipes. */
  destroy(): void;
}

/** A container with a running or ended main process. */
export interface Container {
  readonly id: string;
  readonly pid: number;
  readonly plan: ContainerPlan;
  readonly startedAt: Date;
  readonly log: LogBuffer;
  readonly ended: Promise<Ended>;
  /** Kills the main process and thus all others in the container. */
  kill(signalName?: 'SIGKILL' | 'SIGTERM'): void;
  /** Starts a command; a string is the runtime's message why it cannot be started. */
  exec(
    argv: readonly string[],
    wanted: WantedStreams,
    env?: Readonly<Record<string, string>>,
  ): Promise<Execution | string>;
}

/** A new container or process id: 64 hexadecimal digits. */
export function containerId(): string {
  return randomBytes(32).toString('hex');
}

/** Starts a container; throws with what the set-up said when it cannot be isolated. */
export async function startContainer(node: NodeNamespace, plan: ContainerPlan): Promise<Container> {
  const fifos = await makeFifos(node.directory, { stdin: false, stdout: true, stderr: false });
  const child = spawn(tool('nsenter'), startArguments(node, plan, fifos.paths[1]), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: HOST_PATH, ...plan.env },
  });
  const ended = whenEnded(child);
  const log = logBuffer();
  fifos.stdout?.on('data', log.append);
  const pid = await hostPid(child, plan, fifos);
  return {
    id: containerId(),
    pid,
    plan,
    startedAt: new Date(),
    log,
    ended: ended.then((how) => {
      // What it wrote last may still be in the pipe; a forgotten grandchild may hold it open.
      setTimeout(() => fifos.destroy(), 100).unref();
      return how;
    }),
    kill: (signalName = 'SIGKILL') => killQuietly(child, pid, signalName),
    exec: (argv, wanted, env = {}) => execIn(node, { plan, pid, argv, wanted, env }),
  };
}

async function hostPid(child: ChildProcess, plan: ContainerPlan, fifos: Fifos): Promise<number> {
  try {
    const pid = Number(await readyLine(child, `a container of ${plan.hostname}`));
    await fifos.opened();
    await arrival(pid, plan.root);
    return pid;
  } catch (error) {
    fifos.destroy();
    throw error;
  }
}

function startArguments(node: NodeNamespace, plan: ContainerPlan, out: string): string[] {
  const fresh = plan.joins === undefined ? ['--pid', '--fork', '--kill-child'] : [];
  const network = plan.ownNetwork ? ['--net'] : [];
  // A second user namespace can only be made while the root is still the namespace's own.
  const pivot = node.mapped && plan.user !== 0 ? '' : PIVOT;
  const place = [plan.root, plan.hostname, out, mountTable(plan.mounts), String(node.pid), pivot];
  return [
    ...enterNode(node, plan.joins?.pid),
    tool('unshare'),
    ...['--mount', '--uts', '--propagation', 'private', ...fresh, ...network],
    ...[tool('sh'), '-c', SETUP, 'sh', ...place],
    ...confine(plan, { mapped: node.mapped }),
    ...plan.command,
  ];
}

function enterNode(node: NodeNamespace, pid: number | undefined): string[] {
  const user = node.mapped ? ['--user', '--preserve-credentials'] : [];
  return [
    '--target',
    String(node.pid),
    ...user,
    '--mount',
    `--pid=/proc/${pid ?? node.pid}/ns/pid`,
  ];
}

function mountTable(mounts: readonly Mount[]): string {
  return mounts.map(({ kind, from, to }) => `${kind} ${from} ${to}`).join('\n');
}

interface Joining {
  readonly plan: ContainerPlan;
  readonly pid: number;
  readonly argv: readonly string[];
  readonly wanted: WantedStreams;
  readonly env: Readonly<Record<string, string>>;
}

async function execIn(node: NodeNamespace, joining: Joining): Promise<Execution | string> {
  const { plan, pid, argv, wanted } = joining;
  const env = { PATH: HOST_PATH, ...plan.env, ...joining.env };
  const why = whyNotRunnable(`/proc/${pid}/root`, argv[0], env.PATH);
  if (why !== undefined) return why;
  const fifos = await makeFifos(node.directory, wanted);
  const roots = [`--root=/proc/${node.pid}/root`, `--wd=/proc/${pid}/root`];
  const enter = [tool('nsenter'), '--target', String(pid), '--mount', '--uts', ...roots];
  const inside = confine(plan, { mapped: node.mapped, joins: pid });
  const join = [tool('sh'), '-c', JOIN, 'sh', ...fifos.paths];
  const network = plan.ownNetwork ? ['--net'] : [];
  const child = spawn(
    tool('nsenter'),
    ['--no-fork', ...enterNode(node, pid), ...join, ...enter, ...network, ...inside, ...argv],
    { stdio: ['ignore', 'pipe', 'pipe'], env },
  );
  const ended = whenEnded(child);
  const line = await readyLine(child, 'exec').catch(() => undefined);
  if (line === undefined) {
    fifos.destroy();
    return 'cannot enter the container: it has ended';
  }
  await fifos.opened();
  return { pid: Number(line), ...streamsOf(fifos), ended, destroy: () => fifos.destroy() };
}

function streamsOf(fifos: Fifos): Pick<Execution, 'stdin' | 'stdout' | 'stderr'> {
  return { stdin: fifos.stdin, stdout: fifos.stdout, stderr: fifos.stderr };
}

async function readyLine(child: ChildProcess, what: string): Promise<string> {
  let said = '';
  child.stderr?.on('data', (data: Buffer) => {
    said = `${said}${data.toString()}`.slice(0, 500);
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), START_MS_MAX);
  try {
    const line = await Promise.race([lineOf(child), once(child, 'close').then(() => undefined)]);
    if (line !== undefined) return line;
    throw new Error(`The lab could not start ${what}: ${said.trim() || 'no message'}`);
  } finally {
    clearTimeout(timer);
    child.stdout?.destroy();
  }
}

async function lineOf(child: ChildProcess): Promise<string | undefined> {
  if (child.stdout === null) return undefined;
  for await (const line of createInterface({ input: child.stdout })) return line;
  return undefined;
}

const SIGNALS: Readonly<Record<string, number>> = constants.signals;

async function whenEnded(child: ChildProcess): Promise<Ended> {
  let said = '';
  child.stderr?.on('data', (data: Buffer) => {
    said = data.toString().slice(0, 200);
  });
  const [code, signalName] = (await once(child, 'exit')) as [number | null, string | null];
  const signalNumber = signalName === null ? 0 : (SIGNALS[signalName] ?? 0);
  // unshare cannot end itself as its child was ended by SIGKILL; it fails with this message.
  if (code === 1 && said.includes('sigprocmask')) return { code: 137, at: new Date() };
  return { code: code ?? 128 + signalNumber, at: new Date() };
}

function killQuietly(child: ChildProcess, pid: number, signalName: NodeJS.Signals): void {
  if (child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(pid, signalName);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
