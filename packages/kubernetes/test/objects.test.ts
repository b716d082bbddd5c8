// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestData } from '../src/digest.ts';
import { listPodEvents } from '../src/events.ts';
import { getNode } from '../src/node.ts';
import { ownerChain } from '../src/owners.ts';
import { containerLog, getPod } from '../src/pods.ts';
import { answered, byPath } from './answers.ts';
import { recording, step } from './recording.ts';
import { scriptedCluster } from './scripted-cluster.ts';

const WEB = { namespace: 'shop', pod: 'web' };

test('a recorded pod is read with its containers, volumes and references', async (t) => {
  await using cluster = await scriptedCluster({ http: () => answered(recording('pods')[0]) });
  const pod = await getPod(await cluster.connect(), WEB, t.signal);
  assert.deepEqual(
    pod.containers.map(({ kind, name, state }) => [kind, name, state.kind]),
    [
      ['init', 'init-schema', 'terminated'],
      ['app', 'app', 'running'],
      ['app', 'distroless', 'running'],
    ],
  );
  assert.match(pod.containers[1]?.containerId ?? '', /^containerd:\/\/fbb6cd6b/);
  assert.deepEqual(pod.references.secrets, ['web-secret']);
  assert.deepEqual(pod.references.configMaps, ['kube-root-ca.crt', 'web-config']);
  assert.deepEqual(
    pod.volumes.map((volume) => volume.kind),
    ['emptyDir', 'configMap', 'secret', 'projected'],
  );
  assert.doesNotMatch(JSON.stringify(pod), /production/);
});

const HOSTILE: readonly (readonly [string, unknown])[] = [
  ['no JSON', '<html>login</html>'],
  ['an array', []],
  ['a pod without metadata', { kind: 'Pod', spec: {} }],
  ['another pod', { metadata: { name: 'db', namespace: 'shop', uid: 'u' }, spec: {} }],
  ['a pod of another namespace', { metadata: { name: 'web', namespace: 'x', uid: 'u' }, spec: {} }],
];

for (const [what, body] of HOSTILE) {
  test(`${what} in place of the pod is a malformed answer`, async (t) => {
    await using cluster = await scriptedCluster({ http: () => ({ status: 200, body }) });
    const asked = getPod(await cluster.connect(), WEB, t.signal);
    await assert.rejects(asked, { code: 'malformed-answer' });
  });
}

test('fields of a wrong type count as absent, the rest of the pod is still read', async (t) => {
  const body = {
    metadata: { name: 'web', namespace: 'shop', uid: 'u', labels: [1], ownerReferences: 'x' },
    spec: { nodeName: 7, containers: [{ name: 'app', command: [1, 'sh'] }, 'junk', null] },
    status: { phase: {}, containerStatuses: [{ name: 'app', state: { running: 3 } }] },
  };
  await using cluster = await scriptedCluster({ http: () => ({ status: 200, body }) });
  const pod = await getPod(await cluster.connect(), WEB, t.signal);
  assert.equal(pod.spec.nodeName, undefined);
  assert.equal(pod.status.phase, 'Unknown');
  assert.deepEqual(pod.metadata.labels, {});
  assert.deepEqual(pod.containers[0]?.command, ['sh']);
  assert.deepEqual(pod.containers[0]?.state, { kind: 'unknown' });
});

test('logs are asked for without text/plain and read as bytes', async (t) => {
  const http = () => answered(step('pod-log', 'one container'));
  await using cluster = await scriptedCluster({ http });
  const query = { ...WEB, container: 'app', previous: true, bytesMax: 4 };
  const { bytes, cut } = await containerLog(await cluster.connect(), query, t.signal);
  assert.deepEqual([bytes.toString('utf8'), cut], ['app ', true]);
  assert.equal(cluster.seen[0]?.headers.accept, '*/*');
  assert.equal(cluster.seen[0]?.url.searchParams.get('limitBytes'), '5');
});

const LOG_ENDS = [
  ['a Pending pod', undefined],
  ['previous where there is none', 'bad-request'],
  ['no such pod', 'not-found'],
  ['Accept: text/plain', 'not-acceptable'],
  ['an account that may only read pods', 'forbidden'],
] as const;

for (const [title, code] of LOG_ENDS) {
  test(`log of ${title}: ${code ?? 'empty'}`, async (t) => {
    await using cluster = await scriptedCluster({ http: () => answered(step('pod-log', title)) });
    const query = { ...WEB, container: 'app', bytesMax: 1_000 };
    const asked = containerLog(await cluster.connect(), query, t.signal);
    if (code) await assert.rejects(asked, { code });
    else assert.equal((await asked).bytes.byteLength, 0);
  });
}

test('node and events of the recordings are read', async (t) => {
  const http = byPath({
    '/api/v1/nodes/node1': answered(recording('node')[0]),
    '/api/v1/namespaces/shop/events': answered(recording('events')[0]),
  });
  await using cluster = await scriptedCluster({ http });
  const connection = await cluster.connect();
  const node = await getNode(connection, 'node1', t.signal);
  assert.equal(node.status.nodeInfo.kubeletVersion, 'v1.36.2');
  assert.ok(node.status.declaredFeatures.includes('ExtendWebSocketsToKubelet'));
  const query = { namespace: 'shop', pod: 'crash', uid: 'u,1', itemsMax: 50 };
  const { events } = await listPodEvents(connection, query, t.signal);
  assert.equal(events[0]?.reason, 'Scheduled');
  const selector = cluster.seen[1]?.url.searchParams.get('fieldSelector');
  assert.match(selector ?? '', /involvedObject\.name=crash,involvedObject\.uid=u\\,1$/);
});

function owned(name: string, owner?: readonly [string, string, string]) {
  const [apiVersion, kind, of] = owner ?? [];
  const reference = { apiVersion, kind, name: of, uid: `uid-${of}`, controller: true };
  return {
    metadata: {
      name,
      namespace: 'shop',
      uid: `uid-${name}`,
      ownerReferences: owner ? [reference] : [],
    },
    spec: {},
  };
}

test('owners are followed to the top, and what stops them is told', async (t) => {
  const http = byPath({
    '/api/v1/namespaces/shop/pods/web': {
      status: 200,
      body: owned('web', ['apps/v1', 'ReplicaSet', 'web-7f']),
    },
    '/apis/apps/v1/namespaces/shop/replicasets/web-7f': {
      status: 200,
      body: owned('web-7f', ['apps/v1', 'Deployment', 'web-dep']),
    },
    '/apis/apps/v1/namespaces/shop/deployments/web-dep': [
      { status: 200, body: owned('web-dep', ['argoproj.io/v1', 'Rollout', 'roll']) },
      { status: 403, body: { kind: 'Status', message: 'no', reason: 'Forbidden', code: 403 } },
      { status: 200, body: owned('another') },
    ],
  });
  await using cluster = await scriptedCluster({ http });
  const connection = await cluster.connect();
  const pod = await getPod(connection, WEB, t.signal);
  const ends = [];
  for (let round = 0; round < 3; round += 1) {
    const chain = await ownerChain(connection, pod, t.signal);
    const last = chain.at(-1);
    ends.push([chain.length, last?.kind, last?.read, (last?.stopped ?? '').slice(0, 12)]);
  }
  assert.deepEqual(ends, [
    [3, 'Rollout', false, 'kind Rollout'],
    [2, 'Deployment', false, 'GET apis/app'],
    [2, 'Deployment', false, 'an object of'],
  ]);
});

test('a secret is put on record by version and hash, never by value', async (t) => {
  const secret = (data: object) => ({
    status: 200,
    body: { metadata: { name: 's', uid: 'u', resourceVersion: '9' }, data },
  });
  const encoded = (text: string) => Buffer.from(text).toString('base64');
  const one = secret({ b: encoded('hunter2'), a: encoded('x') });
  const same = secret({ a: encoded('x'), b: encoded('hunter2') });
  const other = secret({ a: encoded('xb'), b: encoded('unter2') });
  const path = '/api/v1/namespaces/shop/secrets/s';
  await using cluster = await scriptedCluster({ http: byPath({ [path]: [one, same, other] }) });
  const connection = await cluster.connect();
  const name = { kind: 'Secret', namespace: 'shop', name: 's' } as const;
  const read = () => digestData(connection, name, t.signal);
  const [first, second, third] = [await read(), await read(), await read()];
  assert.equal(first.sha256, second.sha256);
  assert.notEqual(first.sha256, third.sha256);
  assert.equal(first.keys, 2);
  assert.doesNotMatch(JSON.stringify(first), /hunter|aHVudGVy/);
});
