// SPDX-License-Identifier: Apache-2.0
// How fast bytes come from a container into the store, against what people do by hand:
// `kubectl exec -- tar cf - DIR | sha256sum`, on the same cluster, in turn: the pretend one, or that
// of KUBECONFIG, with a container named as for `npm run test:e2e`, in which /srv can be written to.
// The pretend cluster, the executor and the uploader are processes of their own, as in production;
// what the processes in its containers use is counted once they have ended.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { Entry } from '@impound/contracts/entry.ts';
import { FoundTarget, formatTarget, parseTarget } from '@impound/contracts/target.ts';
import { DEMO_TARGET } from '@impound/lab/scenarios.ts';
import { openClient } from '../../cli/src/client.ts';
import { readKeys } from '../../cli/src/keys.ts';
import { addCluster, startPlatform } from '../../cli/src/platform.ts';
import { childrenSeconds, processorSeconds, startLab, startService } from '../world/children.ts';
import { quantile, spread } from '../world/figures.ts';

const MIB = 1_048_576;
const RUNS = 5;
const BENCH_MS_MAX = 900_000;
const signal = AbortSignal.timeout(BENCH_MS_MAX);
const LINE = 'one line of a log, much like the next';
const COPIES = 'i=1; while [ $i -lt 2000 ]; do cp 0.log $i.log; i=$((i + 1)); done';

/** What is collected: many small files of text, or a big one of noise; the shell makes them. */
const TREES = {
  small: {
    bytes: 2_000 * 540 * (LINE.length + 1),
    make: `yes '${LINE}' | head -n 540 > 0.log; ${COPIES}`,
  },
  big: { bytes: 512 * MIB, make: `head -c ${512 * MIB} /dev/urandom > noise` },
};

await using scope = new AsyncDisposableStack();
const directory = await mkdtemp(join(tmpdir(), 'impound-bench-'));
scope.defer(() => rm(directory, { recursive: true, force: true }));
const meters = new Map([['platform', () => processorSeconds(process.pid)]]);
const { kubeconfig, target, real } = await openGround();
const dataDir = join(directory, 'data');
const natsBinary = process.env['NATS_SERVER'];
const apart = ['uploader', 'executor-kubernetes'];
const platform = scope.use(await startPlatform({ dataDir, natsBinary, without: apart }, signal));
const context = real ? { context: target.cluster, allowExecPlugins: true } : {};
await addCluster(dataDir, target.cluster, { kubeconfig, ...context });
const environment = {
  PATH: process.env['PATH'],
  NATS_URL: platform.natsUrl,
  CLUSTERS_FILE: join(dataDir, 'clusters.json'),
  STORE_URL: pathToFileURL(join(dataDir, 'evidence')).href,
  SIGNING_KEY: (await readKeys(dataDir)).signing,
};
for (const name of apart) {
  const child = scope.use(
    await startService(name, {
      ...environment,
      NATS_NKEY_FILE: platform.nkeyFile(name),
      STATEMENT_KEY: platform.statementKey(name),
    }),
  );
  meters.set(name, () => processorSeconds(child.pid));
}
const client = openClient(platform, signal);

/** The cluster, and the container in it that files are made in. */
async function openGround() {
  const named = process.env['IMPOUND_E2E_TARGET'];
  const given = process.env['KUBECONFIG'];
  if (named !== undefined) {
    if (!given) throw new Error('IMPOUND_E2E_TARGET needs KUBECONFIG, that of its cluster');
    return { kubeconfig: given, target: FoundTarget.parse(parseTarget(named)), real: true };
  }
  const lab = scope.use(await startLab());
  meters.set('lab', () => processorSeconds(lab.pid));
  meters.set('container', () => childrenSeconds(lab.pid));
  const kubeconfig = join(directory, 'kubeconfig');
  await writeFile(kubeconfig, lab.kubeconfig, { mode: 0o600 });
  const target = FoundTarget.parse({ kind: 'kubernetes', ...DEMO_TARGET });
  return { kubeconfig, target, real: false };
}

/** The words of a command that runs another one in the container. */
function inContainer(...command: string[]): string[] {
  const { cluster, namespace, pod, container } = target;
  const context = real ? ['--context', cluster] : [];
  const place = ['-n', namespace, pod, '-c', container, '--'];
  return ['kubectl', '--kubeconfig', kubeconfig, ...context, 'exec', ...place, ...command];
}

/** Runs a script of this machine's shell whose words are given. */
async function byHand(script: string, words: readonly string[]): Promise<void> {
  const stdio = ['ignore', 'ignore', 'inherit'] as const;
  const child = spawn('sh', ['-c', script, 'sh', ...words], { stdio: [...stdio] });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`kubectl ended with ${code}`);
}

/** Seconds that kubectl takes. */
async function rival(tree: string): Promise<number> {
  const startedAt = performance.now();
  await byHand('"$@" | sha256sum', inContainer('tar', 'cf', '-', '-C', '/srv', tree));
  return (performance.now() - startedAt) / 1_000;
}

/** Seconds from the claim to the capture, as the ledger recorded them. */
async function ours(path: string, run: number): Promise<number> {
  const order = {
    target: formatTarget(target),
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
  const before = [...meters].map(([name, read]) => ({ name, read, seconds: read() }));
  const result = await work();
  for (const { name, read, seconds } of before) {
    used.set(name, (used.get(name) ?? 0) + read() - seconds);
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
for (const [tree, { bytes, make }] of Object.entries(TREES)) {
  if (wanted.size > 0 && !wanted.has(tree)) continue;
  const script = `mkdir -p /srv/${tree} && cd /srv/${tree} && ${make}`;
  await byHand('exec "$@"', inContainer('sh', '-c', script));
  const mib = bytes / MIB;
  const rivals: number[] = [];
  const own: number[] = [];
  const spent = { kubectl: new Map<string, number>(), impound: new Map<string, number>() };
  for (let run = 0; run <= RUNS; run++) {
    const theirs = await processors(spent.kubectl, () => rival(tree));
    const mine = await processors(spent.impound, () => ours(`/srv/${tree}`, run));
    // The first of each warms up page cache and code.
    if (run > 0) [rivals.push(mib / theirs), own.push(mib / mine)];
  }
  await byHand('exec "$@"', inContainer('rm', '-r', `/srv/${tree}`));
  console.log(`${tree} (${mib.toFixed(0)} MiB): kubectl ${spread(rivals)}, impound ${spread(own)}`);
  const all = mib * (RUNS + 1);
  console.log(`  processor seconds per GiB, kubectl: ${perGib(spent.kubectl, all)}`);
  console.log(`  processor seconds per GiB, impound: ${perGib(spent.impound, all)}`);
  const ratio = quantile(own, 0.5) / quantile(rivals, 0.5);
  console.log(`${tree === 'big' ? 'capture' : `capture-${tree}`} ratio=${ratio.toFixed(2)}`);
}
