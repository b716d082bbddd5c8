// SPDX-License-Identifier: Apache-2.0
// How fast bytes come from a container into the store, against what people do by hand:
// `kubectl exec -- tar cf - DIR | sha256sum`, on the same pretend cluster, in turn. The cluster, the
// executor and the uploader are processes of their own, as in production.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { Entry } from '@impound/contracts/entry.ts';
import { formatTarget } from '@impound/contracts/target.ts';
import { DEMO_TARGET } from '@impound/lab/scenarios.ts';
import { openClient } from '../../cli/src/client.ts';
import { readKeys } from '../../cli/src/keys.ts';
import { addCluster, startPlatform } from '../../cli/src/platform.ts';
import { processorSeconds, startLab, startService } from '../world/children.ts';
import { quantile, spread } from '../world/figures.ts';

const MIB = 1_048_576;
const RUNS = 5;
const BENCH_MS_MAX = 900_000;
const signal = AbortSignal.timeout(BENCH_MS_MAX);

/** What is collected: many small files of text, or one big one of noise. */
const TREES = {
  small: async (directory: string) => {
    const text = Buffer.from('one line of a log, much like the next\n'.repeat(540));
    for (let at = 0; at < 2_000; at++) await writeFile(join(directory, `${at}.log`), text);
    return 2_000 * text.length;
  },
  big: async (directory: string) => {
    await using file = await open(join(directory, 'noise'), 'w');
    for (let at = 0; at < 512; at++) await file.write(randomBytes(MIB));
    return 512 * MIB;
  },
};

await using scope = new AsyncDisposableStack();
const directory = await mkdtemp(join(tmpdir(), 'impound-bench-'));
scope.defer(() => rm(directory, { recursive: true, force: true }));
const lab = scope.use(await startLab());
const kubeconfig = join(directory, 'kubeconfig');
await writeFile(kubeconfig, lab.kubeconfig, { mode: 0o600 });
const dataDir = join(directory, 'data');
const natsBinary = process.env['NATS_SERVER'];
const apart = ['uploader', 'executor-kubernetes'];
const platform = scope.use(await startPlatform({ dataDir, natsBinary, without: apart }, signal));
await addCluster(dataDir, DEMO_TARGET.cluster, { kubeconfig });
const environment = {
  PATH: process.env['PATH'],
  NATS_URL: platform.natsUrl,
  CLUSTERS_FILE: join(dataDir, 'clusters.json'),
  STORE_URL: pathToFileURL(join(dataDir, 'evidence')).href,
  SIGNING_KEY: (await readKeys(dataDir)).signing,
};
const pids = new Map([
  ['lab', lab.pid],
  ['platform', process.pid],
]);
for (const name of apart) {
  const child = scope.use(
    await startService(name, {
      ...environment,
      NATS_NKEY_FILE: platform.nkeyFile(name),
      STATEMENT_KEY: platform.statementKey(name),
    }),
  );
  pids.set(name, child.pid);
}
const client = openClient(platform, signal);

/** Seconds that kubectl takes. */
async function rival(tree: string): Promise<number> {
  const { namespace, pod, container } = DEMO_TARGET;
  const exec = `kubectl --kubeconfig "$1" -n ${namespace} exec ${pod} -c ${container}`;
  const line = `${exec} -- tar cf - -C /srv ${tree} | sha256sum`;
  const startedAt = performance.now();
  const stdio = ['ignore', 'ignore', 'inherit'] as const;
  const child = spawn('sh', ['-c', line, 'sh', kubeconfig], { stdio: [...stdio] });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`kubectl ended with ${code}`);
  return (performance.now() - startedAt) / 1_000;
}

/** Seconds from the claim to the capture, as the ledger recorded them. */
async function ours(path: string, run: number): Promise<number> {
  const order = {
    target: formatTarget({ kind: 'kubernetes', ...DEMO_TARGET }),
    caseId: 'bench',
    reason: `capture of ${path}, run ${run}`,
    profile: 'volatile',
    paths: [path],
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

/** What each process used while this was done, per GiB. */
async function processors<T>(used: Map<string, number>, work: () => Promise<T>): Promise<T> {
  const before = [...pids].map(([name, pid]) => [name, processorSeconds(pid)] as const);
  const result = await work();
  for (const [name, seconds] of before) {
    const spent = processorSeconds(pids.get(name) ?? 0) - seconds;
    used.set(name, (used.get(name) ?? 0) + spent);
  }
  return result;
}

const perGib = (used: Map<string, number>, mib: number) =>
  [...used].map(([name, all]) => `${name} ${((all * 1_024) / mib).toFixed(2)}`).join(', ');

const wanted = new Set(process.argv.slice(2));
console.log(`method: seconds from the claim to the capture on record (all bytes stored, synced and
  hashed, manifest written) against the whole run of kubectl exec -- tar cf - | sha256sum;
  ${RUNS} runs each, in turn; MiB of file content per second, slowest / median / fastest`);
const nothing: number[] = [];
for (let run = 0; run < RUNS; run++) nothing.push(await ours('/etc/hostname', run));
console.log(`a capture of volatile state alone: ${spread(nothing, 2)} s`);
for (const [tree, make] of Object.entries(TREES)) {
  if (wanted.size > 0 && !wanted.has(tree)) continue;
  const place = join(lab.files, 'srv', tree);
  await mkdir(place, { recursive: true });
  const mib = (await make(place)) / MIB;
  const rivals: number[] = [];
  const own: number[] = [];
  const spent = { kubectl: new Map<string, number>(), impound: new Map<string, number>() };
  for (let run = 0; run <= RUNS; run++) {
    const theirs = await processors(spent.kubectl, () => rival(tree));
    const mine = await processors(spent.impound, () => ours(`/srv/${tree}`, run));
    // The first of each warms up page cache and code.
    if (run > 0) [rivals.push(mib / theirs), own.push(mib / mine)];
  }
  await rm(place, { recursive: true });
  console.log(`${tree} (${mib.toFixed(0)} MiB): kubectl ${spread(rivals)}, impound ${spread(own)}`);
  const all = mib * (RUNS + 1);
  console.log(`  processor seconds per GiB, kubectl: ${perGib(spent.kubectl, all)}`);
  console.log(`  processor seconds per GiB, impound: ${perGib(spent.impound, all)}`);
  const ratio = quantile(own, 0.5) / quantile(rivals, 0.5);
  console.log(`${tree === 'big' ? 'capture' : `capture-${tree}`} ratio=${ratio.toFixed(2)}`);
}
