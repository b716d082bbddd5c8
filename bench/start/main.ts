// SPDX-License-Identifier: Apache-2.0
// How long it takes on a fresh directory from `impound up` to the first sealed acquisition, as a
// multiple of a bare start: PostgreSQL made and started, nats-server started, the code imported.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { formatTarget } from '@impound/contracts/target.ts';
import { DEMO_TARGET } from '@impound/lab/scenarios.ts';
import { openClient } from '../../cli/src/client.ts';
import { readKeys } from '../../cli/src/keys.ts';
import { startLab } from '../world/children.ts';
import { quantile, spread } from '../world/figures.ts';

const RUNS = 5;
const BENCH_MS_MAX = 900_000;
const signal = AbortSignal.timeout(BENCH_MS_MAX);
const CLI = fileURLToPath(new URL('../../cli/bin/impound.mjs', import.meta.url));
const BARE = fileURLToPath(new URL('bare.ts', import.meta.url));

await using scope = new AsyncDisposableStack();
const directory = await mkdtemp(join(tmpdir(), 'impound-bench-'));
scope.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
const lab = scope.use(await startLab());
const kubeconfig = join(directory, 'kubeconfig');
await writeFile(kubeconfig, lab.kubeconfig, { mode: 0o600 });

/** Runs a program until it has said something; gives what it said. */
async function said(child: ChildProcess, pattern: RegExp): Promise<string> {
  if (child.stdout === null) throw new Error('a program without an output');
  for await (const line of createInterface({ input: child.stdout })) {
    const [, found = ''] = pattern.exec(line) ?? [];
    if (pattern.test(line)) return found;
  }
  throw new Error(`a program ended before it said ${pattern}`);
}

async function ended(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

const STDIO = ['ignore', 'pipe', 'inherit'] as const;

async function bare(run: number): Promise<number> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [BARE, join(directory, `bare-${run}`)], {
    stdio: [...STDIO],
  });
  await said(child, /(up)$/);
  const seconds = (performance.now() - startedAt) / 1_000;
  if (child.exitCode === null) await once(child, 'exit');
  return seconds;
}

/** Seconds until the platform is up, and until the first acquisition is sealed. */
async function own(run: number): Promise<readonly [number, number]> {
  const dataDir = join(directory, `own-${run}`);
  const args = ['--data', dataDir, '--kubeconfig', kubeconfig, '--cluster', DEMO_TARGET.cluster];
  const startedAt = performance.now();
  const child = spawn(process.execPath, [CLI, 'up', ...args], { stdio: [...STDIO] });
  const url = await said(child, /impound is up at (\S+)/);
  const upAt = performance.now();
  const client = openClient({ url, token: (await readKeys(dataDir)).token }, signal);
  const order = {
    target: formatTarget({ kind: 'kubernetes', ...DEMO_TARGET }),
    ...{ caseId: 'bench', reason: 'the first of a fresh start', profile: 'volatile' },
  };
  const { acquisitionId } = await client.post('/v1/acquisitions', order);
  let last = '';
  for await (const { event } of client.follow(acquisitionId)) last = event;
  const sealedAt = performance.now();
  if (!last.startsWith('acquisition.sealed')) throw new Error(`it ended with ${last}`);
  await ended(child);
  return [(upAt - startedAt) / 1_000, (sealedAt - startedAt) / 1_000];
}

const [bares, ups, seals]: [number[], number[], number[]] = [[], [], []];
for (let run = 0; run <= RUNS; run++) {
  const [least, [up, sealed]] = [await bare(run), await own(run)];
  // The first of each finds nothing of the programs in memory.
  if (run > 0) [bares.push(least), ups.push(up), seals.push(sealed)];
}
console.log(`method: from the start of the process, each time on a fresh directory, in turn;
  the bare start imports the same code, makes and starts PostgreSQL, starts nats-server and uses
  each once; profile volatile, pretend cluster in a process of its own; ${RUNS} runs, seconds,
  fastest / median / slowest`);
console.log(`bare start ${spread(bares, 2)}`);
console.log(`impound up ${spread(ups, 2)}`);
console.log(`first acquisition sealed ${spread(seals, 2)}`);
const over = (values: readonly number[]) =>
  (quantile(values, 0.5) / quantile(bares, 0.5)).toFixed(2);
console.log(`start-up ratio=${over(ups)}`);
console.log(`start ratio=${over(seals)}`);
