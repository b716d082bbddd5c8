// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { clustersFrom } from '../src/clusters.ts';
import { KubernetesFault } from '../src/fault.ts';

async function listOf(t: TestContext, text: string) {
  const directory = await mkdtemp(join(tmpdir(), 'impound-clusters-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, 'clusters.json');
  await writeFile(path, text);
  return { path, clusters: clustersFrom(path) };
}

const fault = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof KubernetesFault && error.code === code && message.test(error.message);

test('a cluster belongs to executor kubernetes unless its entry names another', async (t) => {
  const kubeconfig = '/etc/impound/reader.yaml';
  const list = { prod: { kubeconfig }, shop: { kubeconfig, executor: 'shop-cloud' } };
  const { clusters } = await listOf(t, JSON.stringify(list));
  assert.deepEqual(await clusters.names(), ['prod', 'shop']);
  assert.equal(await clusters.executor('prod'), 'kubernetes');
  assert.equal(await clusters.executor('shop'), 'shop-cloud');
});

test('a name that is not in the list is unknown, and the names that are in it are told', async (t) => {
  const { clusters } = await listOf(t, '{"prod":{"kubeconfig":"/etc/impound/reader.yaml"}}');
  for (const name of ['staging', 'constructor', '__proto__']) {
    await assert.rejects(clusters.connection(name), fault('cluster-unknown', /known: prod$/));
  }
});

test('a list is read anew each time', async (t) => {
  const { path, clusters } = await listOf(t, '{}');
  await writeFile(path, '{"prod":{"kubeconfig":"/etc/impound/reader.yaml"}}');
  assert.deepEqual(await clusters.names(), ['prod']);
});

const KUBECONFIG = `
current-context: reader
clusters: [{ name: prod, cluster: { server: 'https://prod.example' } }]
users: [{ name: reader, user: { token: abc } }]
contexts: [{ name: reader, context: { cluster: prod, user: reader } }]`;

test('the way to a cluster stays the same until its kubeconfig says something else', async (t) => {
  const { path, clusters } = await listOf(t, '{}');
  const kubeconfig = join(dirname(path), 'prod.yaml');
  await writeFile(kubeconfig, KUBECONFIG);
  await writeFile(path, JSON.stringify({ prod: { kubeconfig } }));
  const stoodMs = 60_000;
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + stoodMs });
  const before = await clusters.connection('prod');
  assert.equal(await clusters.connection('prod'), before);
  await writeFile(kubeconfig, KUBECONFIG.replace('prod.example', 'other.example'));
  const after = await clusters.connection('prod');
  assert.equal(after.server.href, 'https://other.example/');
  await rm(kubeconfig);
  await assert.rejects(clusters.connection('prod'), fault('kubeconfig-invalid', /cannot be read/));
});

const unusable = [
  ['no JSON', '{"prod": token-of-prod', /it is not JSON$/],
  ['a misspelt key', '{"prod":{"kubeconfig":"/a","contxt":"b"}}', /prod: .*"contxt"/],
  ['an entry without a way', '{"prod":{}}', /prod[.:]/],
  ['an executor that is no route', '{"p":{"kubeconfig":"/a","executor":"A B"}}', /p\.executor: /],
  ['a list beyond 1 MiB', ' '.repeat(1_048_577), /larger than 1 MiB/],
] as const;

for (const [name, text, message] of unusable) {
  test(`a list with ${name} is refused, and the message says where and repeats no value`, async (t) => {
    const { clusters } = await listOf(t, text);
    const refused = fault('clusters-invalid', message);
    await assert.rejects(clusters.names(), (error: Error) => {
      assert.doesNotMatch(error.message, /token-of-prod|\/a\b/);
      return refused(error);
    });
  });
}

test('a list that is not there is refused with its path', async () => {
  const missing = clustersFrom('/no/such/clusters.json');
  await assert.rejects(missing.names(), fault('clusters-invalid', /\/no\/such\/clusters\.json/));
});
