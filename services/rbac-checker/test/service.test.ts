// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AccessCheckedV1 } from '@impound/contracts/access/checked.v1.ts';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { METHOD_RIGHTS, rightText } from '@impound/contracts/permissions.ts';
import { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';
import { startCluster } from '@impound/lab/cluster.ts';
import type { LabOptions, RuleSpec } from '@impound/lab/options.ts';
import {
  DEMO_COLLECTOR,
  DEMO_READER,
  DEMO_STRANGER,
  DEMO_TARGET,
  demoScenario,
} from '@impound/lab/scenarios.ts';
import { newId } from '@impound/runtime/ids.ts';
import { openLog } from '@impound/runtime/log.ts';
import { start } from '@impound/runtime/start.ts';
import { testBus } from '@impound/runtime/testing/bus.ts';
import { scriptedLedger } from '@impound/runtime/testing/scripted-ledger.ts';
import { wait } from '@impound/runtime/wait.ts';
import { rbacChecker } from '../src/service.ts';

const WAIT_MS_MAX = 60_000;
const SHELLS = 'impound/shells';
const ACCOUNTS = {
  collector: DEMO_COLLECTOR,
  reader: DEMO_READER,
  stranger: DEMO_STRANGER,
  shells: SHELLS,
};

/** The demo's cluster, and one account more: it may exec and not add containers. */
function scenario(): LabOptions {
  const options = demoScenario();
  const rules: RuleSpec[] = [
    { namespace: 'shop', resources: ['pods'], verbs: ['get'] },
    { namespace: 'shop', resources: ['pods/exec'], verbs: ['get', 'create'] },
  ];
  return { ...options, accounts: [...(options.accounts ?? []), { name: SHELLS, rules }] };
}

/** One cluster under several names: each reached with another account. */
async function house(t: TestContext, more: Record<string, string> = {}) {
  const scope = new AsyncDisposableStack();
  t.after(() => scope.disposeAsync());
  const directory = await mkdtemp(join(tmpdir(), 'impound-rbac-'));
  scope.defer(() => rm(directory, { recursive: true, force: true }));
  const lab = scope.use(await startCluster(scenario()));
  const { url } = await testBus(t);
  const clusters: Record<string, object> = { away: { kubeconfig: join(directory, 'away') } };
  for (const [name, account] of Object.entries(ACCOUNTS)) {
    await writeFile(join(directory, name), lab.kubeconfig(account));
    clusters[name] = { kubeconfig: join(directory, name) };
  }
  const away = lab.kubeconfig(DEMO_COLLECTOR).replace(/127\.0\.0\.1:\d+/, '127.0.0.1:9');
  await writeFile(join(directory, 'away'), away);
  const environment = { NATS_URL: url, CLUSTERS_FILE: join(directory, 'clusters.json'), ...more };
  await writeFile(environment.CLUSTERS_FILE, JSON.stringify(clusters));
  const ledger = await scriptedLedger(t, url, ['rbac-checker']);
  scope.use(await start(rbacChecker, environment, openLog('rbac-checker', 'silent')));
  const check = async (cluster: string, acquisitionId: string = newId(), at = 1) => {
    const example = TargetResolvedV1.shape.parse(TargetResolvedV1.example);
    const target = { ...example.target, ...DEMO_TARGET, cluster };
    await ledger.record({
      contract: TargetResolvedV1,
      data: { ...example, target },
      acquisitionId,
    });
    const limit = AbortSignal.timeout(WAIT_MS_MAX);
    while (!limit.aborted) {
      const said = ledger.chain(acquisitionId)[at];
      if (said !== undefined) return AccessCheckedV1.shape.parse(said.event.data);
      await wait(20, limit);
    }
    throw new Error(`nothing was said of ${cluster}`);
  };
  return { lab, ledger, check };
}

test('the ladder tells for each account what it may do and what is missing', async (t) => {
  const { lab, check } = await house(t);
  const granted = await check('collector');
  assert.equal(granted.ladder[0]?.verdict, 'allowed');
  assert.equal(granted.grant, undefined);
  const reader = await check('reader');
  assert.deepEqual(reader.ladder[0], {
    method: 'exec-stream',
    executor: 'kubernetes',
    verdict: 'denied',
    because: 'get pods/exec and create pods/exec are not granted in namespace shop',
  });
  assert.doesNotMatch(reader.grant ?? '', /resources: \['pods'\]/, 'only what is missing');
  const [namespace, name] = DEMO_READER.split('/');
  const subject = `kind: ServiceAccount\n    name: '${name}'\n    namespace: '${namespace}'\n`;
  assert.ok(reader.grant?.endsWith(subject), reader.grant);
  const stranger = await check('stranger');
  assert.match(stranger.ladder[0]?.because ?? '', /^get pods, get pods\/exec and create/);
  const asked = lab.audit.map((one) => `${one.method} ${one.path}`);
  const review = 'POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  const self = 'POST /apis/authentication.k8s.io/v1/selfsubjectreviews';
  assert.deepEqual([...new Set(asked)], [review, self], 'nothing else is asked of the cluster');
  const rights = METHOD_RIGHTS['exec-stream']?.map(rightText) ?? [];
  assert.equal(asked.filter((one) => one === review).length, 3 * rights.length);
  assert.equal(asked.filter((one) => one === self).length, 2, 'of those who lack something');
});

test('a pod that is named is asked about before it is found', async (t) => {
  const { lab, ledger, check } = await house(t);
  const acquisitionId = newId();
  const example = AcquisitionRequestedV1.shape.parse(AcquisitionRequestedV1.example);
  const target = { ...example.target, ...DEMO_TARGET, cluster: 'collector' };
  const data = { ...example, target };
  await ledger.record({ contract: AcquisitionRequestedV1, data, acquisitionId });
  const reviews = METHOD_RIGHTS['exec-stream']?.length ?? 0;
  const limit = AbortSignal.timeout(WAIT_MS_MAX);
  while (lab.audit.length < reviews && !limit.aborted) await wait(20, limit);
  assert.equal(lab.audit.length, reviews);
  const { ladder } = await check('collector', acquisitionId, 2);
  assert.equal(ladder[0]?.verdict, 'allowed');
});

test('the right to add an ephemeral container is asked for once there is an image for it', async (t) => {
  const { check } = await house(t, { EPHEMERAL_IMAGE: 'registry.example/busybox@sha256:0' });
  const granted = await check('collector');
  assert.deepEqual(
    granted.ladder.map(({ method, verdict }) => [method, verdict]),
    [
      ['exec-stream', 'allowed'],
      ['ephemeral-container', 'allowed'],
    ],
  );
  const shells = await check('shells');
  assert.equal(shells.ladder[0]?.verdict, 'allowed');
  assert.deepEqual(shells.ladder[1], {
    method: 'ephemeral-container',
    executor: 'kubernetes',
    verdict: 'denied',
    because: 'patch pods/ephemeralcontainers is not granted in namespace shop',
  });
  assert.match(shells.grant ?? '', /resources: \['pods\/ephemeralcontainers'\]/);
  assert.equal(shells.grant?.match(/verbs:/g)?.length, 1, 'only what is missing');
});

test('a cluster that does not answer leaves the rung unknown, with the reason', async (t) => {
  const { check } = await house(t);
  const { ladder, grant } = await check('away');
  assert.equal(ladder[0]?.verdict, 'unknown');
  assert.match(ladder[0]?.because ?? '', /not known whether it is granted/);
  assert.equal(grant, undefined);
});
