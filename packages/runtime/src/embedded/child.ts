// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const START_MS_MAX = 30_000;
const POLL_MS = 10;
const LOG_BYTES_MAX = 8_192;

/** The account a child runs under; only root can name another than its own. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** What to start, and with which signal the kernel shall end it should this process die first. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly owner?: Owner | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly deathSignal: 'INT' | 'KILL';
  /** An open file it reads as its stdin; left out, it has none. */
  readonly stdin?: number | undefined;
}

/** A program that runs beside this process and does not outlive it where the platform allows. */
export interface Child {
  readonly pid: number;
  running(): boolean;
  /** The last bytes it wrote to stdout and stderr, at most LOG_BYTES_MAX. */
  log(): string;
  /** Waits for the end and gives the exit code; aborting kills it with its whole group. */
  exit(signal: AbortSignal): Promise<number | null>;
  /** Sends the signal and waits for the end; after `msMax` milliseconds it sends SIGKILL. */
  end(signal: NodeJS.Signals, msMax: number): Promise<void>;
}

const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

let parentDeath: Promise<boolean> | undefined;

/** util-linux' setpriv can bind a child's life to its parent's; busybox' and macOS' cannot. */
function canBindLife(): Promise<boolean> {
  parentDeath ??= new Promise((resolve) => {
    execFile('setpriv', ['--pdeathsig', 'KILL', '--', 'true'], (error) => resolve(error === null));
  });
  return parentDeath;
}

/** Starts a program in a process group of its own, so that Ctrl-C reaches its parent only. */
export async function startChild(command: Command, signal: AbortSignal): Promise<Child> {
  const bound = await canBindLife();
  signal.throwIfAborted();
  const argv = bound
    ? ['setpriv', '--pdeathsig', command.deathSignal, '--', command.file, ...command.args]
    : [command.file, ...command.args];
  const child = spawn(argv[0] ?? command.file, argv.slice(1), {
    cwd: command.cwd,
    detached: true,
    stdio: [command.stdin ?? 'ignore', 'pipe', 'pipe'],
    ...(command.owner && { uid: command.owner.uid, gid: command.owner.gid }),
    ...(command.env && { env: command.env }),
  });
  await once(child, 'spawn');
  alive.add(child);
  return watch(child);
}

function watch(child: ChildProcess): Child {
  const log = logTail(child);
  const closed = once(child, 'close').then(() => alive.delete(child));
  const running = () => child.exitCode === null && child.signalCode === null;
  return {
    pid: child.pid ?? 0,
    running,
    log,
    exit: async (signal) => {
      const kill = () => process.kill(-(child.pid ?? 0), 'SIGKILL');
      if (signal.aborted) kill();
      else signal.addEventListener('abort', kill, { once: true });
      await closed;
      signal.removeEventListener('abort', kill);
      signal.throwIfAborted();
      return child.exitCode;
    },
    end: async (signal, msMax) => {
      if (running()) child.kill(signal);
      const late = globalThis.setTimeout(() => child.kill('SIGKILL'), msMax);
      await closed;
      clearTimeout(late);
    },
  };
}

function logTail(child: ChildProcess): () => string {
  let tail = Buffer.alloc(0);
  const keep = (bytes: Buffer) => {
    tail = Buffer.concat([tail, bytes]).subarray(-LOG_BYTES_MAX);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  return () => tail.toString('utf8').trim();
}

/**
 * Asks `probe` until it answers. Rejects when the child ends first, after START_MS_MAX or with the
 * signal's reason; the child is dead by then.
 */
export async function untilReady<T>(
  child: Child,
  probe: () => Promise<T | undefined>,
  signal: AbortSignal,
): Promise<T> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(START_MS_MAX)]);
  try {
    while (child.running()) {
      const answer = await probe();
      if (answer !== undefined) return answer;
      await sleep(POLL_MS, undefined, { signal: limit });
    }
  } catch (error) {
    await child.end('SIGKILL', 0);
    throw limit.aborted ? limit.reason : error;
  }
  await child.end('SIGKILL', 0);
  throw new Error(`it ended before it was ready. Its last words:\n${child.log()}`);
}
