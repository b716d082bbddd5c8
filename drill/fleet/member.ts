// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Environment } from '@impound/runtime/config.ts';
import { wait } from '@impound/runtime/wait.ts';

/** One life of a member: from one start of its process to its end. Times are Unix milliseconds. */
export interface Life {
  readonly pid: number;
  /** The program. */
  readonly file: string;
  readonly startedAtMs: number;
  /** When it said that it is ready, and under which name of a worker. */
  readyAtMs?: number;
  worker?: string;
  endedAtMs?: number;
  /** The last line of its log. */
  lastLine?: string;
}

/** Something of the fleet that can be killed, and is started again by the orchestrator's habit. */
export interface Killable {
  readonly name: string;
  /** SIGKILL, as the kernel does it when memory ends; resolves when it is dead. */
  kill(): Promise<void>;
  /** Resolves when it works, now or after the start that is to come. */
  ready(): Promise<void>;
  /** From now on a dead one stays dead, until `mend`. */
  neglect(): void;
  mend(): void;
}

/** A service as a process of its own, as in production. */
export interface Member extends Killable, AsyncDisposable {
  readonly service: string;
  /** All its lives, the last one last. */
  readonly lives: readonly Life[];
  /** SIGSTOP: it stands still, and its connections stay open. */
  freeze(): void;
  /** SIGCONT. */
  thaw(): void;
  /** SIGTERM, as in a rolling update: resolves when it has come back as that program. */
  replace(file: string): Promise<void>;
}

/** What a member is made of. */
export interface MemberOptions {
  readonly name: string;
  readonly service: string;
  /** Its main.ts. */
  readonly file: string;
  readonly environment: Environment;
  /** How long the orchestrator waits before it starts a dead one again. */
  readonly restartMs: number;
  readonly logFile: string;
}

/** Starts a member, which is not ready yet; the habit keeps it alive until it is disposed. */
export function startMember(options: MemberOptions): Member {
  const log = createWriteStream(options.logFile, { flags: 'a' });
  const it: Living = {
    options,
    log,
    file: options.file,
    lives: [],
    over: new AbortController(),
    child: undefined,
    readiness: Promise.withResolvers(),
    allowed: allowedNow(),
  };
  const living = keepAlive(it);
  const signal = (name: NodeJS.Signals) => void it.child?.kill(name);
  return {
    name: options.name,
    service: options.service,
    lives: it.lives,
    kill: () => ended(it, 'SIGKILL'),
    ready: () => it.readiness.promise,
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    replace: async (file) => {
      it.file = file;
      await ended(it, 'SIGTERM');
      await it.readiness.promise;
    },
    neglect: () => {
      it.allowed = Promise.withResolvers();
    },
    mend: () => it.allowed.resolve(),
    [Symbol.asyncDispose]: async () => {
      it.over.abort();
      it.allowed.resolve();
      await ended(it, 'SIGKILL');
      await living;
      log.end();
    },
  };
}

interface Living {
  readonly options: MemberOptions;
  readonly log: WriteStream;
  /** What it runs from its next life on. */
  file: string;
  readonly lives: Life[];
  readonly over: AbortController;
  child: ChildProcess | undefined;
  readiness: PromiseWithResolvers<void>;
  allowed: PromiseWithResolvers<void>;
}

function allowedNow(): PromiseWithResolvers<void> {
  const allowed = Promise.withResolvers<void>();
  allowed.resolve();
  return allowed;
}

async function keepAlive(it: Living): Promise<void> {
  while (!it.over.signal.aborted) {
    await it.allowed.promise;
    if (!it.over.signal.aborted) await live(it);
    await wait(it.options.restartMs, it.over.signal);
  }
}

/** The kernel ends it with this process, however that ends. */
async function live(it: Living): Promise<void> {
  const { file, options } = it;
  const argv = ['--pdeathsig', 'KILL', '--', process.execPath, file];
  const child = spawn('setpriv', argv, {
    env: options.environment as NodeJS.ProcessEnv,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  it.child = child;
  const life: Life = { pid: child.pid ?? 0, file, startedAtMs: Date.now() };
  it.lives.push(life);
  const { readiness } = it;
  const lines = createInterface({ input: child.stderr });
  lines.on('line', (line) => {
    it.log.write(`${line}\n`);
    life.lastLine = line;
    const worker = workerIn(line);
    if (worker === undefined) return;
    Object.assign(life, { worker, readyAtMs: Date.now() });
    readiness.resolve();
  });
  await once(child, 'close');
  life.endedAtMs ??= Date.now();
  refuseInVain(it, readiness);
  // Whoever waits for a life that ended before it was ready waits for the next one.
  if (life.readyAtMs !== undefined && it.readiness === readiness) {
    it.readiness = Promise.withResolvers();
  }
}

const STARTS_MAX = 5;

/**
 * One that was never ready and ends again and again never will be: whoever waits is told why. One
 * that was ready may lack for a while what a drill has taken away.
 */
function refuseInVain(it: Living, readiness: PromiseWithResolvers<void>): void {
  const lives = it.lives.filter(({ file }) => file === it.file);
  if (lives.length < STARTS_MAX || lives.some(({ readyAtMs }) => readyAtMs !== undefined)) return;
  const because = lives.at(-1)?.lastLine ?? 'it said nothing';
  readiness.promise.catch(() => undefined);
  readiness.reject(new Error(`${it.options.name} does not start: ${because}`));
}

/** The worker's name, where this line of a log tells that the service is ready. */
function workerIn(line: string): string | undefined {
  if (!line.includes('"service ready"')) return undefined;
  const { worker } = JSON.parse(line) as { worker?: string };
  return worker;
}

async function ended(it: Living, by: NodeJS.Signals): Promise<void> {
  const { child } = it;
  const life = it.lives.at(-1);
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(by);
  await exited;
  if (life !== undefined) life.endedAtMs = Date.now();
  if (life?.readyAtMs !== undefined) it.readiness = Promise.withResolvers();
}
