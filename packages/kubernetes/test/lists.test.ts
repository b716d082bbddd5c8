// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getBytes, getJson } from '../src/api.ts';
import { list } from '../src/list.ts';
import { listPods } from '../src/pods.ts';
import { answered, byPath } from './answers.ts';
import { step } from './recording.ts';
import { type ScriptedAnswer, scriptedCluster } from './scripted-cluster.ts';

function page(names: readonly string[], token?: string): ScriptedAnswer {
  const items = names.map((name) => ({
    metadata: { name, namespace: 'shop', uid: name },
    spec: {},
  }));
  return { status: 200, body: { metadata: { resourceVersion: '7', continue: token }, items } };
}

test('a list is read page by page up to the limit, which is asked for', async (t) => {
  const pages = {
    '/api/v1/namespaces/shop/pods': [page(['a', 'b'], 't1'), page(['c', 'd'], 't2')],
  };
  await using cluster = await scriptedCluster({ http: byPath(pages) });
  const query = { namespace: 'shop', labelSelector: 'app in (web),tier!=back', itemsMax: 3 };
  const found = await listPods(await cluster.connect(), query, t.signal);
  assert.deepEqual(
    found.pods.map((pod) => pod.metadata.name),
    ['a', 'b', 'c'],
  );
  assert.equal(found.cut, true);
  const asked = cluster.seen.map(({ url }) => [
    url.searchParams.get('limit'),
    url.searchParams.get('continue'),
    url.searchParams.get('labelSelector'),
  ]);
  assert.deepEqual(asked, [
    ['3', null, query.labelSelector],
    ['1', 't1', query.labelSelector],
  ]);
});

test('recorded pages of a real list add up', async (t) => {
  const pages = [1, 2, 3].map((at) => answered(step('list-paging', `page ${at}`)));
  await using cluster = await scriptedCluster({ http: byPath({ '/api/v1/pods': pages }) });
  const call = { path: ['api', 'v1', 'pods'], itemsMax: 500 };
  const found = await list(await cluster.connect(), call, t.signal);
  assert.equal(found.resourceVersion, '7417');
  assert.equal(found.cut, false);
  assert.equal(cluster.seen.length, 3);
});

test('a list that expires on the way is read once more, then it is gone', async (t) => {
  const expired = answered(step('list-paging', 'a resourceVersion that is too old'));
  const path = ['api', 'v1', 'pods'];
  for (const [answers, length] of [
    [[page(['a'], 't'), expired, page(['a', 'b'])], 2],
    [[page(['a'], 't'), expired, page(['a'], 't'), expired], undefined],
  ] as const) {
    await using cluster = await scriptedCluster({ http: byPath({ '/api/v1/pods': answers }) });
    const asked = list(await cluster.connect(), { path, itemsMax: 9 }, t.signal);
    if (length === undefined) await assert.rejects(asked, { code: 'gone' });
    else assert.equal((await asked).items.length, length);
  }
});

test('a list that runs in circles is refused', async (t) => {
  await using cluster = await scriptedCluster({ http: () => page([], 'again') });
  const asked = listPods(await cluster.connect(), { itemsMax: 9 }, t.signal);
  await assert.rejects(asked, { code: 'malformed-answer' });
});

test('an answer beyond its limit is a fault for JSON and cut for bytes', async (t) => {
  const body = JSON.stringify({ long: 'x'.repeat(1_000) });
  await using cluster = await scriptedCluster({ http: () => ({ status: 200, body }) });
  const connection = await cluster.connect();
  const call = { path: ['version'], bytesMax: 100 };
  await assert.rejects(getJson(connection, call, t.signal), { code: 'response-too-large' });
  const { bytes, cut } = await getBytes(connection, call, t.signal);
  assert.deepEqual([bytes.byteLength, cut], [100, true]);
});

test('a request is given up when its caller is, and a hanging server does not hold it', async () => {
  await using cluster = await scriptedCluster({ http: () => 'hang' });
  const connection = await cluster.connect();
  const asked = getJson(connection, { path: ['version'] }, AbortSignal.timeout(50));
  await assert.rejects(asked, { code: 'aborted' });
});
