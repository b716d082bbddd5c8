// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { presenceConformance } from '@impound/executor/presence.conformance.ts';
import { shellConformance } from '@impound/executor/shell.conformance.ts';
import { clustersFrom } from '@impound/kubernetes/clusters.ts';
import { kubernetesPresence } from '@impound/kubernetes/presence.ts';
import { kubernetesShell } from '@impound/kubernetes/shell.ts';
import { startCluster } from '@impound/lab/cluster.ts';
import { DEMO_COLLECTOR, DEMO_TARGET, demoScenario } from '@impound/lab/scenarios.ts';

const scope = new AsyncDisposableStack();
after(() => scope.disposeAsync());

const opened = (async () => {
  const directory = await mkdtemp(join(tmpdir(), 'impound-executor-'));
  scope.defer(() => rm(directory, { recursive: true, force: true }));
  const lab = scope.use(await startCluster(demoScenario()));
  const kubeconfig = join(directory, 'kubeconfig');
  const clusters = join(directory, 'clusters.json');
  await writeFile(kubeconfig, lab.kubeconfig(DEMO_COLLECTOR));
  await writeFile(clusters, JSON.stringify({ [DEMO_TARGET.cluster]: { kubeconfig } }));
  const known = clustersFrom(clusters);
  const [shell, presence] = [kubernetesShell(known), kubernetesPresence(known)];
  return { shell, presence, target: DEMO_TARGET };
})();

shellConformance('kubernetes', () => opened);
presenceConformance('kubernetes', () => opened);
