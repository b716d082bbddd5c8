// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addEphemeralContainer, ephemeralRunning } from '../src/ephemeral.ts';
import { answered } from './answers.ts';
import { recording, step } from './recording.ts';
import { type ScriptedAnswer, scriptedCluster } from './scripted-cluster.ts';

const WEB = { namespace: 'shop', pod: 'web' };

const DEBUGGER = { name: 'd', image: 'busybox@sha256:0', command: ['sh', '-c', 'echo $$ $(X)'] };

test('an ephemeral container is a strategic merge patch whose command stays literal', async (t) => {
  const http = () => answered(recording('ephemeral-flow')[1]);
  await using cluster = await scriptedCluster({ http });
  const request = { namespace: 'lab', pod: 'flow', container: DEBUGGER, dryRun: true };
  const { pod } = await addEphemeralContainer(await cluster.connect(), request, t.signal);
  assert.ok(pod.containers.some((one) => one.kind === 'ephemeral' && one.name === 'debugger'));
  const [seen] = cluster.seen;
  assert.equal(seen?.method, 'PATCH');
  assert.equal(seen?.headers['content-type'], 'application/strategic-merge-patch+json');
  assert.equal(seen?.url.searchParams.get('dryRun'), 'All');
  const [entry] = JSON.parse(seen?.body ?? '{}').spec.ephemeralContainers;
  assert.deepEqual(entry.command, ['sh', '-c', 'echo $$$$ $$(X)']);
});

const PATCH_REFUSALS = [
  ['ephemeral-refusals', 'the same name with another image', 'invalid-object'],
  ['ephemeral-refusals', 'PATCH with Content-Type application/json', 'not-acceptable'],
  ['ephemeral-refusals', 'a pod that does not exist', 'not-found'],
  ['ephemeral-refusals', 'RBAC: an account that may only read pods', 'forbidden'],
  ['ephemeral-pod-security', 'pss-restricted: default', 'pod-security-denied'],
] as const;

for (const [scenario, title, code] of PATCH_REFUSALS) {
  test(`ephemeral container: ${title}: ${code}`, async (t) => {
    await using cluster = await scriptedCluster({ http: () => answered(step(scenario, title)) });
    const request = { ...WEB, container: DEBUGGER };
    const asked = addEphemeralContainer(await cluster.connect(), request, t.signal);
    await assert.rejects(asked, { code });
  });
}

/** The recording keeps spec and status of the pod; its metadata is put back. */
function stuckPod(): ScriptedAnswer {
  const { body } = answered(step('ephemeral-start-failures', '9 s later'));
  const added = step('ephemeral-start-failures', 'PATCH with six of them').request?.body;
  const metadata = { name: 'stuck', namespace: 'lab', uid: 'stuck-uid' };
  return { status: 200, body: { ...(added as object), ...(body as object), metadata } };
}

const STARTS = [
  ['no-shell', undefined, undefined],
  ['absent-image', 'ephemeral-start-failed', /ErrImageNeverPull/],
  ['unpullable', 'ephemeral-start-failed', /ImagePullBackOff/],
  ['nonroot-rule', 'ephemeral-start-failed', /runAsNonRoot/],
  ['bad-command', 'ephemeral-start-failed', /no such file or directory/],
  ['exits', 'ephemeral-start-failed', /exit code 4/],
  ['never-seen', 'timeout', /no status yet/],
] as const;

for (const [name, code, message] of STARTS) {
  test(`waiting for the ephemeral container ${name}: ${code ?? 'it runs'}`, async (t) => {
    await using cluster = await scriptedCluster({ http: stuckPod });
    const where = { namespace: 'lab', pod: 'stuck', uid: 'stuck-uid', name };
    const wait = { ...where, deadlineMs: 150, pollMs: 10 };
    const running = ephemeralRunning(await cluster.connect(), wait, t.signal);
    if (code) await assert.rejects(running, { code, message });
    else assert.equal((await running).state.kind, 'running');
  });
}

test('a pod of the same name but another uid is not waited for', async (t) => {
  await using cluster = await scriptedCluster({ http: stuckPod });
  const wait = { namespace: 'lab', pod: 'stuck', uid: 'other', name: 'no-shell', deadlineMs: 99 };
  const running = ephemeralRunning(await cluster.connect(), wait, t.signal);
  await assert.rejects(running, { code: 'gone' });
});
