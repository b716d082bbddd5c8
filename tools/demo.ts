// SPDX-License-Identifier: Apache-2.0
// The main job on one machine: a pretend cluster with a break-in, a SIEM that asks over HTTP, an
// acquisition, its chain of custody, and the evidence verified.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Entry } from '@impound/contracts/entry.ts';
import { formatTarget } from '@impound/contracts/target.ts';
import { startCluster } from '@impound/lab/cluster.ts';
import { DEMO_COLLECTOR, DEMO_TARGET, demoScenario } from '@impound/lab/scenarios.ts';
import { readArguments } from '../cli/src/arguments.ts';
import { openClient } from '../cli/src/client.ts';
import { exportBag } from '../cli/src/commands/export.ts';
import { follow } from '../cli/src/commands/follow.ts';
import { verify } from '../cli/src/commands/verify.ts';
import { addCluster, startPlatform } from '../cli/src/platform.ts';
import { openPrinter } from '../cli/src/printer.ts';
import { timelineLine } from '../cli/src/timeline.ts';

const DEMO_MS_MAX = 110_000;
const printer = openPrinter(false, process.stdout, process.stderr);
const startedAt = performance.now();
const step = (text: string) => {
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1).padStart(5);
  printer.line('');
  printer.line(`[${seconds}s] ${text}`);
};

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(DEMO_MS_MAX)]);
const directory = await mkdtemp(join(tmpdir(), 'impound-demo-'));
const bag = join(directory, 'bag');
await using scope = new AsyncDisposableStack();
scope.defer(() => rm(join(directory, 'data'), { recursive: true, force: true }));

step('a pretend cluster: the Kubernetes API in front of real processes');
const lab = scope.use(await startCluster(demoScenario(), signal));
const target = formatTarget({ kind: 'kubernetes', ...DEMO_TARGET });
printer.line(`  ${lab.url}: its container ${target} looks broken into`);

step('impound: every service in one process, with PostgreSQL and nats-server of its own');
const dataDir = join(directory, 'data');
const kubeconfig = join(directory, 'data', 'collector.kubeconfig');
const platform = scope.use(
  await startPlatform({ dataDir, natsBinary: process.env['NATS_SERVER'] }, signal),
);
await writeFile(kubeconfig, lab.kubeconfig(DEMO_COLLECTOR), { mode: 0o600 });
await addCluster(dataDir, DEMO_TARGET.cluster, { kubeconfig });
printer.line(`  PostgreSQL ${platform.versions.postgres}, nats-server ${platform.versions.nats}`);
printer.line(`  gateway ${platform.url}`);

step('a SIEM asks for the container, over HTTP');
const order = {
  target,
  caseId: 'DEMO-2026-001',
  reason: 'a shell was started in a web server, and it talks to an unknown host',
  profile: 'triage',
};
printer.line('  POST /v1/acquisitions');
printer.line(`  ${JSON.stringify(order)}`);
const client = openClient(platform, signal);
const { acquisitionId } = await client.post('/v1/acquisitions', order, {
  'idempotency-key': 'demo-finding-1',
});
printer.line(`  202 Accepted: ${acquisitionId}, on record before it was answered`);

step('the acquisition as it goes');
const code = await follow(client, acquisitionId, printer);
if (code !== 0) process.exitCode = code;

step('the evidence and its chain of custody, exported as a BagIt bag');
await exportBag({ client, acquisitionId, directory: bag, purpose: 'the demo', printer }, signal);

step('the chain of custody, as an auditor reads it');
const chain = await (await client.stream(`/v1/acquisitions/${acquisitionId}/chain`)).text();
const entries = chain
  .split('\n')
  .filter(Boolean)
  .map((line) => Entry.parse(JSON.parse(line)));
for (const entry of entries) {
  printer.line(timelineLine(entry, entries[0]?.recordedAt ?? ''));
}

step('verified offline, by the bag alone');
const args = readArguments(['verify', bag]);
const verified = await verify({ args, printer, environment: {} }, signal);
if (verified !== 0) process.exitCode = verified;

step('what the pretend cluster saw of it: the least that can do it');
const seen = Map.groupBy(lab.audit, (one) => `${one.method} ${one.path.split('?')[0]}`);
for (const [request, times] of seen)
  printer.line(`  ${String(times.length).padStart(3)} × ${request}`);

step('what to type next');
printer.line(`  npx impound verify ${bag}`);
printer.line(`  zstd -dc ${bag}/data/evidence.tar.zst | tar -tvf - | head`);
printer.line(`  less ${bag}/custody/chain.jsonl`);
printer.line('  npx impound up        # then acquire from a cluster of your own: npx impound help');
printer.line(`  rm -r ${directory}   # when you have seen enough`);
