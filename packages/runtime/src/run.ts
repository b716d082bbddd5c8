// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { ConfigFault, houseConfig, readConfig } from './config.ts';
import { messageOf } from './fault.ts';
import { openHealth } from './health.ts';
import { openLog } from './log.ts';
import type { AnyService } from './service.ts';
import { start } from './start.ts';

const KILLED_MS = 25_000;

/** The life of a process: read, open, work until SIGTERM or SIGINT, close in reverse order. */
export async function run(service: AnyService): Promise<void> {
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort());
  try {
    await live(service, stop.signal);
  } catch (error) {
    openLog(service.name, 'error').error('service stopped', { because: messageOf(error) });
    process.exitCode = error instanceof ConfigFault ? error.exitCode : 1;
  }
  // The last resort, where something keeps the process alive that should be closed by now.
  setTimeout(() => process.exit(), KILLED_MS).unref();
}

async function live(service: AnyService, signal: AbortSignal): Promise<void> {
  const { HEALTH_PORT = 0, LOG_LEVEL } = readConfig(
    houseConfig.pick({ HEALTH_PORT: true, LOG_LEVEL: true }),
    process.env,
  );
  await using scope = new AsyncDisposableStack();
  let ready = false;
  const port = await openHealth(HEALTH_PORT, { ready: () => ready }, scope);
  const log = openLog(service.name, LOG_LEVEL);
  const running = await start(service, process.env, log);
  scope.use(running);
  ready = true;
  log.info('service ready', { worker: running.worker, healthPort: port });
  if (!signal.aborted) await once(signal, 'abort');
  ready = false;
}
