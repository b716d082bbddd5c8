// SPDX-License-Identifier: Apache-2.0
// Against the pretend cluster, or against a real one: KUBECONFIG names a kubeconfig, and
// IMPOUND_E2E_TARGET=kubernetes://CONTEXT/NAMESPACE/POD/CONTAINER a running container in it that
// has a shell. It is read from, and written to below /tmp by the shell's own suite.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FoundTarget, formatTarget, parseTarget } from '@impound/contracts/target.ts';
import { verifyBag } from '@impound/evidence/verify-bag.ts';
import { presenceConformance } from '@impound/executor/presence.conformance.ts';
import { shellConformance } from '@impound/executor/shell.conformance.ts';
import { clustersFrom } from '@impound/kubernetes/clusters.ts';
import { kubernetesPresence } from '@impound/kubernetes/presence.ts';
import { kubernetesShell } from '@impound/kubernetes/shell.ts';
import { startCluster } from '@impound/lab/cluster.ts';
import { DEMO_COLLECTOR, DEMO_TARGET, demoScenario } from '@impound/lab/scenarios.ts';
import { openClient } from '../../cli/src/client.ts';
import { exportBag } from '../../cli/src/commands/export.ts';
import { addCluster, type ClusterEntry, startPlatform } from '../../cli/src/platform.ts';
import { openPrinter } from '../../cli/src/printer.ts';
import { assertSealedOnce, chainOf } from './chain.ts';
import { ended } from './platform.ts';

const ACQUIRE_MS_MAX = 120_000;
const SILENT = { write: () => undefined };

/** A running container, and how its cluster is reached. */
interface Ground {
  readonly target: FoundTarget;
  readonly entry: ClusterEntry;
}

const scope = new AsyncDisposableStack();
after(() => scope.disposeAsync());
const directory = await mkdtemp(join(tmpdir(), 'impound-any-cluster-'));
scope.defer(() => rm(directory, { recursive: true, force: true }));
const dataDir = join(directory, 'data');
const named = process.env['IMPOUND_E2E_TARGET'];
const name = named === undefined ? 'the pretend cluster' : 'the cluster of KUBECONFIG';

async function openGround(): Promise<Ground> {
  const ground = named === undefined ? await pretended() : real(named);
  await addCluster(dataDir, ground.target.cluster, ground.entry);
  return ground;
}

async function pretended(): Promise<Ground> {
  const lab = scope.use(await startCluster(demoScenario()));
  const kubeconfig = join(directory, 'kubeconfig');
  await writeFile(kubeconfig, lab.kubeconfig(DEMO_COLLECTOR), { mode: 0o600 });
  return {
    target: FoundTarget.parse({ kind: 'kubernetes', ...DEMO_TARGET }),
    entry: { kubeconfig },
  };
}

function real(uri: string): Ground {
  const kubeconfig = process.env['KUBECONFIG'];
  assert.ok(kubeconfig, 'IMPOUND_E2E_TARGET needs KUBECONFIG, the kubeconfig of its cluster');
  const target = FoundTarget.parse(parseTarget(uri));
  return { target, entry: { kubeconfig, context: target.cluster, allowExecPlugins: true } };
}

const opened = openGround();
opened.catch(() => undefined); // Each test that needs it tells of it.

async function conforming() {
  const { target } = await opened;
  const clusters = clustersFrom(join(dataDir, 'clusters.json'));
  return { shell: kubernetesShell(clusters), presence: kubernetesPresence(clusters), target };
}

shellConformance(name, conforming);
presenceConformance(name, conforming);

test(`${name}: a container is acquired, sealed, exported and verified`, {
  timeout: ACQUIRE_MS_MAX,
}, async (t) => {
  const target = formatTarget((await opened).target);
  const natsBinary = process.env['NATS_SERVER'];
  await using platform = await startPlatform({ dataDir, natsBinary }, t.signal);
  const client = openClient(platform, t.signal);
  const order = { target, caseId: 'E2E-ANY', reason: 'an end-to-end test', profile: 'triage' };
  const { acquisitionId } = await client.post('/v1/acquisitions', order);
  const shown = await ended(client, acquisitionId);
  assert.equal(shown.status, 'sealed', JSON.stringify(shown['ended']));
  assertSealedOnce(await chainOf(client, acquisitionId));
  const bag = join(directory, 'bag');
  const printer = openPrinter(false, SILENT, SILENT);
  const purpose = 'an end-to-end test';
  await exportBag({ client, acquisitionId, directory: bag, purpose, printer }, t.signal);
  const report = await verifyBag(bag, t.signal);
  assert.deepEqual(report.findings, []);
  t.diagnostic(`coverage: ${JSON.stringify(shown['coverage'])}`);
});
