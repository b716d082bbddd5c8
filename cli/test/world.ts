// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Lab, startCluster } from '@impound/lab/cluster.ts';
import { DEMO_COLLECTOR, DEMO_TARGET, demoScenario } from '@impound/lab/scenarios.ts';

/** The container that was broken into. */
export const CART = `kubernetes://demo/shop/${DEMO_TARGET.pod}/cart`;
export const WHY = ['--case', 'IR-1', '--reason', 'a shell in a web server'];

/** A pretend cluster, a kubeconfig for it, and a folder that goes with it. */
export interface World extends AsyncDisposable {
  readonly folder: string;
  readonly lab: Lab;
  /** Path of a kubeconfig with exactly the rights that an acquisition needs. */
  readonly kubeconfig: string;
}

export async function openWorld(): Promise<World> {
  await using opening = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'impound-cli-'));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const lab = opening.use(await startCluster(demoScenario()));
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, lab.kubeconfig(DEMO_COLLECTOR), { mode: 0o600 });
  const scope = opening.move();
  return { folder, lab, kubeconfig, [Symbol.asyncDispose]: () => scope.disposeAsync() };
}
