// SPDX-License-Identifier: Apache-2.0
// How fast bytes come from a container into the store, against what people do by hand:
// `kubectl exec -- tar cf - DIR | sha256sum`, on the same pretend cluster, in one run.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Entry } from '@impound/contracts/entry.ts';
import { formatTarget } from '@impound/contracts/target.ts';
import { startCluster } from '@impound/lab/cluster.ts';
import { DEMO_COLLECTOR, DEMO_TARGET, demoScenario } from '@impound/lab/scenarios.ts';
import { openClient } from '../cli/src/client.ts';
import { addCluster, startPlatform } from '../cli/src/platform.ts';

const MIB = 1_048_576;
const RUNS = 3;
const BENCH_MS_MAX = 900_000;
const signal = AbortSignal.timeout(BENCH_MS_MAX);

/** What is collected: one big file of noise, or many small ones of text. */
const TREES = {
  big: async (directory: string) => {
    await writeFile(join(directory, 'noise'), randomBytes(256 * MIB));
    return 256 * MIB;
  },
  small: async (directory: string) => {
    const text = Buffer.from('one line of a log, much like the next\n'.repeat(540));
    for (let at = 0; at < 2_000; at++) await writeFile(join(directory, `${at}.log`), text);
    return 2_000 * text.length;
  },
};

await using scope = new AsyncDisposableStack();
const directory = await mkdtemp(join(tmpdir(), 'impound-bench-'));
scope.defer(() => rm(directory, { recursive: true, force: true }));
const lab = scope.use(await startCluster(demoScenario(), signal));
const kubeconfig = join(directory, 'kubeconfig');
await writeFile(kubeconfig, lab.kubeconfig(DEMO_COLLECTOR), { mode: 0o600 });
const platform = scope.use(
  await startPlatform(
    { dataDir: join(directory, 'data'), natsBinary: process.env['NATS_SERVER'] },
    signal,
  ),
);
await addCluster(join(directory, 'data'), DEMO_TARGET.cluster, { kubeconfig });
const client = openClient(platform, signal);

/** Seconds that kubectl takes. */
async function rival(tree: string): Promise<number> {
  const { namespace, pod, container } = DEMO_TARGET;
  const kubectl = [
    'kubectl',
    '--kubeconfig',
    '"$1"',
    '-n',
    namespace,
    'exec',
    pod,
    '-c',
    container,
  ];
  const line = `${kubectl.join(' ')} -- tar cf - -C /srv ${tree} | sha256sum`;
  const startedAt = performance.now();
  const child = spawn('sh', ['-c', line, 'sh', kubeconfig], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`kubectl ended with ${code}`);
  return (performance.now() - startedAt) / 1_000;
}

/** Seconds from the claim to the capture, as the ledger recorded them. */
async function ours(tree: string, run: number): Promise<number> {
  const order = {
    target: formatTarget({ kind: 'kubernetes', ...DEMO_TARGET }),
    caseId: 'bench',
    reason: `capture of ${tree}, run ${run}`,
    profile: 'volatile',
    paths: [`/srv/${tree}`],
  };
  const { acquisitionId } = await client.post('/v1/acquisitions', order);
  const at = new Map<string, number>();
  for await (const { data } of client.follow(acquisitionId)) {
    const entry = Entry.safeParse(data);
    if (entry.success) at.set(entry.data.event.type, Date.parse(entry.data.recordedAt));
  }
  const captured = at.get('evidence.captured.v1');
  const started = at.get('execution.started.v1');
  if (captured === undefined || started === undefined) throw new Error('nothing was captured');
  return (captured - started) / 1_000;
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

for (const [tree, make] of Object.entries(TREES).reverse()) {
  const place = join(
    lab.filesOf(DEMO_TARGET.namespace, DEMO_TARGET.pod, DEMO_TARGET.container),
    'srv',
    tree,
  );
  await mkdir(place, { recursive: true });
  const bytes = await make(place);
  const rivals: number[] = [];
  const own: number[] = [];
  for (let run = 1; run <= RUNS; run++) {
    rivals.push(await rival(tree));
    own.push(await ours(tree, run));
  }
  const rate = (seconds: readonly number[]) => bytes / MIB / median(seconds);
  console.log(
    `${tree}: kubectl ${rate(rivals).toFixed(1)} MiB/s, impound ${rate(own).toFixed(1)} MiB/s`,
  );
  const name = tree === 'big' ? 'capture' : `capture-${tree}`;
  console.log(`${name} ratio=${(rate(own) / rate(rivals)).toFixed(2)}`);
}
