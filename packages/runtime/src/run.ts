// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import type * as z from 'zod';
import { ConfigFault, type HouseConfig, houseConfig, readConfig, withFiles } from './config.ts';
import { Later, messageOf, Never } from './fault.ts';
import { openHealth } from './health.ts';
import { stayLean } from './lean.ts';
import { type Log, openLog } from './log.ts';
import { practise } from './practice.ts';
import type { AnyService } from './service.ts';
import { start } from './start.ts';

const KILLED_MS = 25_000;

/** What a process is for, as far as its life depends on it. */
interface Terms {
  /** Gigabytes pass through it: it holds little of them, and what it says and hears is seldom. */
  readonly bytesPass?: boolean;
}

/** The life of a process: read, open, work until SIGTERM or SIGINT, close in reverse order. */
export async function run(service: AnyService, terms: Terms = {}): Promise<void> {
  const stop = new AbortController();
  const stopping = () => {
    stop.abort();
    killLater(1);
  };
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, stopping);
  try {
    await live(service, terms, stop.signal);
  } catch (error) {
    // A start that was ended by a signal is no fault.
    if (stop.signal.aborted && error === stop.signal.reason) return;
    openLog(service.name, 'error').error('service stopped', wordsOf(error));
    process.exitCode = error instanceof ConfigFault ? error.exitCode : 1;
    killLater(process.exitCode);
  }
}

/** Why it stopped, by the code that an operator finds in the documentation where it has one. */
function wordsOf(error: unknown): { readonly code?: string; readonly because: string } {
  const because = messageOf(error);
  return error instanceof Never || error instanceof Later
    ? { code: error.code, because }
    : { because };
}

/** The life of a deploy job: read the environment, do the work, end. */
export async function runOnce<Config extends z.ZodObject>(
  name: string,
  config: Config,
  work: (config: z.output<Config>, log: Log) => Promise<void>,
): Promise<void> {
  const log = openLog(name, 'info');
  try {
    await work(readConfig(config, await withFiles(config, process.env)), log);
  } catch (error) {
    log.error('job failed', { because: messageOf(error) });
    process.exitCode = error instanceof ConfigFault ? error.exitCode : 1;
  }
}

/** The last resort, where something keeps the process alive that should be closed by now. */
function killLater(code: number): void {
  setTimeout(() => process.exit(code), KILLED_MS).unref();
}

async function live(service: AnyService, terms: Terms, signal: AbortSignal): Promise<void> {
  const whole = service.config.extend(houseConfig.shape);
  const environment = await withFiles(whole, process.env);
  const { HEALTH_PORT = 0, LOG_LEVEL } = readConfig(whole, environment) as HouseConfig;
  await using scope = new AsyncDisposableStack();
  let ready = false;
  const port = await openHealth(HEALTH_PORT, { ready: () => ready }, scope);
  const log = openLog(service.name, LOG_LEVEL);
  const running = await start(service, environment, log, signal);
  scope.use(running);
  if (terms.bytesPass) stayLean();
  ready = true;
  log.info('service ready', { worker: running.worker, healthPort: port });
  const over = AbortSignal.any([signal, running.lost]);
  if (!terms.bytesPass) {
    void practise(service, over).catch((error: unknown) => {
      log.warn('practice ended', { because: messageOf(error) });
    });
  }
  if (!over.aborted) await once(over, 'abort');
  ready = false;
  running.lost.throwIfAborted();
}
