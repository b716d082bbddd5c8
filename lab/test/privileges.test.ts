// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Lab, startCluster } from '../src/cluster.ts';
import type { ContainerSpec } from '../src/options.ts';
import { ask, execToEnd } from './exec-client.ts';
import { until } from './until.ts';

const DROP_ALL = { capabilities: { drop: ['ALL'] } };
const TARGETS: Readonly<Record<string, Partial<ContainerSpec>>> = {
  root: {},
  nonroot: { user: 65532, group: 65532 },
  hardened: { user: 65532, ...DROP_ALL },
  rootnocaps: DROP_ALL,
  privileged: { privileged: true },
};

// As recorded in ephemeral-privileges: may it read root and exe of the target, in that order?
const DEBUGGERS = [
  { name: 'default', context: {}, reads: 'y n n y n' },
  { name: 'ptrace', context: { capabilities: { add: ['SYS_PTRACE'] } }, reads: 'y y y y y' },
  {
    name: 'ptrace-only',
    context: { capabilities: { drop: ['ALL'], add: ['SYS_PTRACE', 'DAC_READ_SEARCH'] } },
    reads: 'y y y y y',
  },
  { name: 'nothing', context: DROP_ALL, reads: 'n n n y n' },
  { name: 'same', context: { runAsUser: 65532, runAsGroup: 65532 }, reads: 'n y n n n' },
  { name: 'same-user', context: { runAsUser: 65532 }, reads: 'n n y n n' },
  { name: 'other', context: { runAsUser: 1000 }, reads: 'n n n n n' },
  { name: 'privileged', context: { privileged: true }, reads: 'y y y y y' },
];

let lab: Lab;
before(async () => {
  const pods = Object.entries(TARGETS).map(([name, more]) => ({
    name,
    containers: [{ name: 'app', image: 'pause:1', flavor: 'distroless' as const, ...more }],
  }));
  lab = await startCluster({ namespaces: [{ name: 'shop', pods }] });
  for (const target of Object.keys(TARGETS)) await addDebuggers(target);
});
after(async () => await lab[Symbol.asyncDispose]());

async function addDebuggers(target: string): Promise<void> {
  const command = ['sleep', '1000'];
  const ephemeralContainers = DEBUGGERS.map(({ name, context: securityContext }) => {
    return { name, image: 'busybox:1', command, targetContainerName: 'app', securityContext };
  });
  const path = `/api/v1/namespaces/shop/pods/${target}`;
  const token = lab.token('admin');
  const headers = { 'content-type': 'application/strategic-merge-patch+json' };
  const body = { spec: { ephemeralContainers } };
  const patch = { method: 'PATCH', path: `${path}/ephemeralcontainers`, token, headers, body };
  assert.equal((await ask(lab, patch)).status, 200);
  await until(async () => {
    const { status } = JSON.parse((await ask(lab, { path, token })).text);
    const states = (status.ephemeralContainerStatuses ?? []) as { state: { running?: object } }[];
    return states.filter((one) => one.state.running !== undefined).length === DEBUGGERS.length;
  }, `the debuggers of ${target}`);
}

// Without root there is only one user on the host, and nothing of this can be told apart.
for (const { name, reads } of process.getuid?.() === 0 ? DEBUGGERS : []) {
  test(`a debugger "${name}" reads what it read in a real cluster`, async () => {
    const probe = 'ls /proc/1/root/ && cat /proc/1/exe && exit 0; exit 1';
    const seen = [];
    for (const pod of Object.keys(TARGETS)) {
      const { status } = await execToEnd(lab, ['sh', '-c', probe], { pod, container: name });
      seen.push(status['status'] === 'Success' ? 'y' : 'n');
    }
    assert.equal(seen.join(' '), reads);
  });
}
