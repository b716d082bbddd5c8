// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PodRecord } from '../pods/pod-record.ts';
import type { World } from '../world.ts';
import { admitEphemeral } from './pod-security.ts';

const HARDENED = {
  runAsUser: 65_532,
  runAsNonRoot: true,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

const CASES = [
  { level: 'privileged', context: { privileged: true }, refusal: undefined },
  { level: 'baseline', context: {}, refusal: undefined },
  {
    level: 'baseline',
    context: { capabilities: { add: ['SYS_PTRACE'] } },
    // Word for word what a cluster answered.
    refusal:
      'pods "app" is forbidden: violates PodSecurity "baseline:latest": non-default capabilities ' +
      '(container "d-ptrace" must not include "SYS_PTRACE" in securityContext.capabilities.add)',
  },
  { level: 'restricted', context: HARDENED, refusal: undefined },
  {
    level: 'restricted',
    context: { ...HARDENED, runAsUser: 0 },
    refusal:
      'pods "app" is forbidden: violates PodSecurity "restricted:latest": runAsUser=0 ' +
      '(container "d-ptrace" must not set runAsUser=0)',
  },
];

for (const { level, context, refusal } of CASES) {
  const what = `level ${level}, ${JSON.stringify(context)}`;
  test(`Pod Security of ephemeral containers: ${what}: ${refusal ? 'refused' : 'admitted'}`, () => {
    const labels = { 'pod-security.kubernetes.io/enforce': level };
    const world = { objects: () => [{ metadata: { name: 'shop', labels } }] } as unknown as World;
    const pod = { namespace: 'shop', spec: { name: 'app' } } as PodRecord;
    const ask = () => admitEphemeral(world, pod, [{ name: 'd-ptrace', securityContext: context }]);
    if (refusal === undefined) ask();
    else assert.throws(ask, { code: 403, message: refusal });
  });
}
