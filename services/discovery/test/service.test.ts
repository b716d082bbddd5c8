// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { UploaderOpenV1 } from '@impound/contracts/ask/uploader.open.v1.ts';
import { ContextCapturedV1 } from '@impound/contracts/context/captured.v1.ts';
import { DIGEST_RIGHTS, DISCOVERY_RIGHTS, rightText } from '@impound/contracts/permissions.ts';
import { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';
import { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';
import { timeOf } from '@impound/contracts/time.ts';
import { evidenceMembers } from '@impound/evidence/reader.ts';
import { scriptedStore } from '@impound/evidence/testing/scripted-store.ts';
import { startCluster } from '@impound/lab/cluster.ts';
import {
  DEMO_COLLECTOR,
  DEMO_STRANGER,
  DEMO_TARGET,
  demoScenario,
} from '@impound/lab/scenarios.ts';
import { newId } from '@impound/runtime/ids.ts';
import { openLog } from '@impound/runtime/log.ts';
import { answer, service } from '@impound/runtime/service.ts';
import { start } from '@impound/runtime/start.ts';
import { testBus } from '@impound/runtime/testing/bus.ts';
import { scriptedLedger } from '@impound/runtime/testing/scripted-ledger.ts';
import { wait } from '@impound/runtime/wait.ts';
import * as z from 'zod';
import { discovery } from '../src/service.ts';

const WAIT_MS_MAX = 60_000;

/** A real bus and a real-looking cluster; ledger and uploader in memory. */
async function house(t: TestContext) {
  const scope = new AsyncDisposableStack();
  t.after(() => scope.disposeAsync());
  const directory = await mkdtemp(join(tmpdir(), 'impound-discovery-'));
  scope.defer(() => rm(directory, { recursive: true, force: true }));
  const lab = scope.use(await startCluster(demoScenario()));
  const { url } = await testBus(t);
  const environment = { NATS_URL: url, CLUSTERS_FILE: join(directory, 'clusters.json') };
  const clusters: Record<string, object> = {};
  for (const [name, account] of [
    ['demo', DEMO_COLLECTOR],
    ['stranger', DEMO_STRANGER],
  ] as const) {
    const kubeconfig = join(directory, name);
    await writeFile(kubeconfig, lab.kubeconfig(account));
    clusters[name] = { kubeconfig };
  }
  await writeFile(environment.CLUSTERS_FILE, JSON.stringify(clusters));
  const ledger = await scriptedLedger(t, url, ['discovery']);
  const store = scope.use(await scriptedStore());
  const opened: string[] = [];
  const uploader = service({
    name: 'uploader',
    config: z.object({}),
    open: async () => ({}),
    says: [],
    hears: [],
    answers: [
      answer(UploaderOpenV1, async ({ set, name }) => {
        opened.push(`${set}/${name}`);
        const expiresAt = timeOf(Date.now() + 60_000);
        return { url: store.url(name), expiresAt, partBytesMax: 16_777_216 };
      }),
    ],
  });
  scope.use(await start(uploader, environment, openLog('uploader', 'silent')));
  scope.use(await start(discovery, environment, openLog('discovery', 'silent')));
  const said = async (acquisitionId: string, at: number) => {
    const limit = AbortSignal.timeout(WAIT_MS_MAX);
    while (!limit.aborted) {
      const entry = ledger.chain(acquisitionId)[at];
      if (entry !== undefined) return entry.event;
      await wait(20, limit);
    }
    throw new Error(`discovery has not said ${at} things`);
  };
  const answerTo = async (target: object, acquisitionId: string = newId()) => {
    const data = {
      ...(AcquisitionRequestedV1.example as AcquisitionRequestedV1),
      target,
    } as AcquisitionRequestedV1;
    await ledger.record({ contract: AcquisitionRequestedV1, data, acquisitionId });
    return await said(acquisitionId, 1);
  };
  return { lab, ledger, store, opened, answerTo, said };
}

/** The right that a request of the Kubernetes API needs, in the words of rightText. */
function rightOf({ method, path }: { readonly method: string; readonly path: string }): string {
  const [, root, ...rest] = path.split('?')[0]?.split('/') ?? [];
  const group = root === 'apis' ? rest.shift() : undefined;
  const [, first = '', ...more] = rest;
  const [resource = '', name, sub] =
    first === 'namespaces' && more.length > 1 ? more.slice(1) : [first, ...more];
  const verb = method === 'GET' ? (name === undefined ? 'list' : 'get') : method;
  return `${verb} ${sub ? `${resource}/${sub}` : resource}${group ? `.${group}` : ''}`;
}

test('a container is found, and what the control plane knows of it is stored', async (t) => {
  const { store, opened, answerTo, said, lab } = await house(t);
  const id = newId();
  const event = await answerTo({ kind: 'kubernetes', ...DEMO_TARGET }, id);
  const { target, container } = TargetResolvedV1.shape.parse(event.data);
  const context = ContextCapturedV1.shape.parse((await said(id, 2)).data);
  assert.deepEqual(target, { kind: 'kubernetes', ...DEMO_TARGET });
  assert.equal(container.state, 'running');
  assert.match(opened.join(), /^context-[0-9a-f]{8}\/context\.tar\.zst/);
  assert.equal(context.objects.length, 2);
  const archive = (async function* () {
    yield* store.partsOf('context.tar.zst');
  })();
  const names: string[] = [];
  let pod = '';
  for await (const member of evidenceMembers(archive, t.signal)) {
    const name = member.name.toString();
    names.push(name);
    const chunks: Buffer[] = [];
    for await (const chunk of member.content) chunks.push(Buffer.from(chunk));
    if (name === 'context/pod.json') pod = Buffer.concat(chunks).toString();
  }
  assert.equal(JSON.parse(pod).metadata.name, DEMO_TARGET.pod);
  for (const wanted of [
    'events.json',
    'owners.json',
    'node.json',
    'references.json',
    'logs/cart.log',
  ]) {
    assert.ok(names.includes(`context/${wanted}`), `${wanted} in ${names.join(', ')}`);
  }
  const asked = lab.audit.filter(({ path }) => path.endsWith(`/pods/${DEMO_TARGET.pod}`));
  assert.equal(asked.length, 2, 'once to find it, once to keep it: what is kept is what is read');
  const granted = [...DISCOVERY_RIGHTS, ...DIGEST_RIGHTS].map(rightText);
  const used = [...new Set(lab.audit.map(rightOf))];
  const beyond = used.filter((right) => !granted.includes(right));
  assert.deepEqual(beyond, [], 'it uses no right that it does not ask for');
  assert.doesNotMatch(pod, /not-a-real-password/);
});

test('a pod that was replaced by another of its name is a gap of the context', async (t) => {
  const { ledger, said } = await house(t);
  const acquisitionId = newId();
  const { container, ...found } = TargetResolvedV1.shape.parse(TargetResolvedV1.example);
  const target = { ...found.target, ...DEMO_TARGET };
  const data = { ...found, target, container: { ...container, podUid: 'the-one-before' } };
  await ledger.record({ contract: TargetResolvedV1, data, acquisitionId });
  const { gaps } = ContextCapturedV1.shape.parse((await said(acquisitionId, 1)).data);
  assert.deepEqual(gaps, ['pod.json: another pod has its name by now']);
});

test('what cannot be found is missing for a reason that a person can act on', async (t) => {
  const { answerTo } = await house(t);
  const cases = [
    [{ ...DEMO_TARGET, pod: 'no-such-pod' }, 'pod-not-found', /no-such-pod/],
    [{ ...DEMO_TARGET, container: 'nope' }, 'container-not-found', /it has: .*cart/],
    [{ cluster: 'demo', namespace: 'nowhere', selector: 'app=cart' }, 'pod-not-found', /nowhere/],
    [{ ...DEMO_TARGET, cluster: 'unheard-of' }, 'cluster-unknown', /unheard-of.*known: .*demo/],
    [{ ...DEMO_TARGET, cluster: 'stranger' }, 'forbidden', /pods/],
  ] as const;
  const account = `system:serviceaccount:${DEMO_STRANGER.replace('/', ':')}`;
  for (const [target, code, because] of cases) {
    const event = await answerTo({ kind: 'kubernetes', ...target });
    assert.equal(event.type, TargetMissingV1.type, code);
    const data = TargetMissingV1.shape.parse(event.data);
    assert.equal(data.code, code);
    assert.match(data.because, because);
    assert.equal(data.withheld?.account, code === 'forbidden' ? account : undefined);
  }
});
