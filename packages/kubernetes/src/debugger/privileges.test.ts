// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { podOf } from '../pod.ts';
import { PodObject } from '../pod-object.ts';
import { identityOf, identityOfProcess, profilesFor } from './privileges.ts';

const ROOT = 'root with default capabilities';
const TRACER = 'root with SYS_PTRACE and DAC_READ_SEARCH only';
const same = (user: number, group: number) =>
  `user ${user} and group ${group} without capabilities`;

const SPECS = [
  { name: 'root', own: { runAsUser: 0 }, plain: [ROOT], traced: [ROOT] },
  { name: 'nothing said', own: {}, plain: [ROOT], traced: [TRACER, ROOT] },
  {
    name: 'user and group',
    own: { runAsUser: 1000, runAsGroup: 3000 },
    plain: [same(1000, 3000)],
    traced: [same(1000, 3000)],
  },
  {
    name: 'a user whose group is left out, which is mostly 0',
    own: { runAsUser: 1000 },
    plain: [same(1000, 0)],
    traced: [TRACER, same(1000, 0)],
  },
  {
    name: 'the user of the pod, overruled by its container for the group',
    own: { runAsGroup: 7 },
    whole: { runAsUser: 1000, runAsGroup: 3000 },
    plain: [same(1000, 7)],
    traced: [same(1000, 7)],
  },
  {
    name: 'somebody who is not root',
    own: {},
    whole: { runAsNonRoot: true },
    plain: [same(65_532, 65_532)],
    traced: [TRACER, same(65_532, 65_532)],
  },
  {
    name: 'root with one capability more',
    own: { runAsUser: 0, capabilities: { add: ['net_admin'] } },
    plain: [],
    traced: [TRACER],
  },
  {
    name: 'root with a capability it has anyhow',
    own: { runAsUser: 0, capabilities: { add: ['CAP_CHOWN'] } },
    plain: [ROOT],
    traced: [ROOT],
  },
  { name: 'privileged', own: { privileged: true }, plain: [], traced: [TRACER] },
  {
    name: 'privileged but not root, which has no capabilities in effect',
    own: { privileged: true, runAsUser: 5, runAsGroup: 5 },
    plain: [same(5, 5)],
    traced: [same(5, 5)],
  },
];

for (const { name, own, whole, plain, traced } of SPECS) {
  test(`a pod that asks for ${name}: read by ${plain.join(', ') || 'nobody'}`, () => {
    const raw = {
      metadata: { name: 'web', uid: 'u' },
      spec: { securityContext: whole, containers: [{ name: 'app', securityContext: own }] },
    };
    const pod = podOf(PodObject.parse(raw), 'shop');
    const [app] = pod.containers;
    assert.ok(app);
    const names = (allowed: boolean) =>
      profilesFor(identityOf(pod, app), allowed).map((profile) => profile.name);
    assert.deepEqual(names(false), plain);
    assert.deepEqual(names(true), traced);
  });
}

const PROCESSES = [
  { user: 0, group: 0, capabilities: 0xa80425fbn, profile: ROOT },
  { user: 0, group: 0, capabilities: 0n, profile: ROOT },
  { user: 0, group: 0, capabilities: 0x1ffffffffffn, profile: undefined },
  { user: 65_532, group: 65_532, capabilities: 0n, profile: same(65_532, 65_532) },
  { user: 65_532, group: 0, capabilities: 0x400n, profile: undefined },
];

for (const { profile, ...seen } of PROCESSES) {
  const { user, group, capabilities } = seen;
  test(`a process of ${user}:${group} with ${capabilities.toString(16)}: ${profile ?? 'nobody'}`, () => {
    const [best] = profilesFor(identityOfProcess(seen), false);
    assert.equal(best?.name, profile);
  });
}

test('who is not root gets no more than Pod Security level restricted admits', () => {
  const who = { user: 7, group: 8, capable: false, certain: true };
  assert.deepEqual(profilesFor(who, true)[0]?.securityContext, {
    runAsUser: 7,
    runAsGroup: 8,
    runAsNonRoot: true,
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  });
});
