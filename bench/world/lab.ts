// SPDX-License-Identifier: Apache-2.0
// The pretend cluster in a process of its own, as an API server is: what it costs, both sides of a
// comparison pay, and neither in its own event loop. Ends when its parent goes.
import { once } from 'node:events';
import process from 'node:process';
import { startCluster } from '@impound/lab/cluster.ts';
import { DEMO_COLLECTOR, DEMO_TARGET, demoScenario } from '@impound/lab/scenarios.ts';

await using lab = await startCluster(demoScenario());
const { namespace, pod, container } = DEMO_TARGET;
process.send?.({
  kubeconfig: lab.kubeconfig(DEMO_COLLECTOR),
  files: lab.filesOf(namespace, pod, container),
});
for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => process.disconnect());
await once(process, 'disconnect');
