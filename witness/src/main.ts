// SPDX-License-Identifier: Apache-2.0
// `main.ts init DIRECTORY NAME` makes a witness, `main.ts` runs it.
import { once } from 'node:events';
import process from 'node:process';
import { ConfigFault, readConfig, withFiles } from '@impound/runtime/config.ts';
import { messageOf } from '@impound/runtime/fault.ts';
import { openHealth } from '@impound/runtime/health.ts';
import { openLog } from '@impound/runtime/log.ts';
import { formatVkey } from '@impound/transparency/vkey.ts';
import { config } from './config.ts';
import { initWitness } from './init.ts';
import { openWitness } from './witness.ts';

const USAGE = 64;

async function live(signal: AbortSignal): Promise<void> {
  const given = readConfig(config, await withFiles(config, process.env));
  const log = openLog('witness', given.LOG_LEVEL);
  await using scope = new AsyncDisposableStack();
  let ready = false;
  const healthPort = await openHealth(given.HEALTH_PORT, { ready: () => ready }, scope);
  const { port, vkey } = await openWitness(given, log, scope);
  ready = true;
  log.info('witness ready', { port, healthPort, vkey: formatVkey(vkey) });
  if (!signal.aborted) await once(signal, 'abort');
}

async function main([command, directory, name, ...more]: readonly string[]): Promise<void> {
  if (command === undefined) {
    const stop = new AbortController();
    for (const one of ['SIGTERM', 'SIGINT'] as const) process.once(one, () => stop.abort());
    return live(stop.signal);
  }
  if (command !== 'init' || directory === undefined || name === undefined || more.length > 0) {
    process.stderr.write('main.ts init DIRECTORY NAME, or no argument to run\n');
    process.exitCode = USAGE;
    return;
  }
  process.stdout.write(`${await initWitness(directory, name)}\n`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  openLog('witness', 'error').error('witness stopped', { because: messageOf(error) });
  process.exitCode = error instanceof ConfigFault ? error.exitCode : 1;
}
