// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AccountSpec, ContainerSpec, PodSpec } from '@impound/lab/options.ts';
import { type Chain, chainOf } from './chain.ts';
import { ask, CLUSTER, ended, stageFor, type Wanted } from './platform.ts';
import { assertLeft } from './processes.ts';

function container(name: string, more: Partial<ContainerSpec> = {}): ContainerSpec {
  return { name, image: `registry.example/shop/${name}:1`, flavor: 'busybox', ...more };
}

/** Stands before the real one on the path of the container. */
function fakeShell(text: string): Partial<ContainerSpec> {
  return { files: [{ path: '/usr/local/sbin/sh', text, mode: 0o755 }] };
}

const web = { app: 'web' };
const PODS: readonly PodSpec[] = [
  { name: 'two', containers: [container('one'), container('other')] },
  { name: 'web-1', labels: web, containers: [container('web')] },
  { name: 'web-2', labels: web, containers: [container('web')] },
  { name: 'distroless', containers: [container('main', { flavor: 'distroless' })] },
  { name: 'endless', containers: [container('main', fakeShell('#!/bin/busybox yes\n'))] },
  {
    name: 'garbage',
    containers: [container('main', fakeShell('#!/bin/sh\nhead -c 100000 /dev/urandom\n'))],
  },
  { name: 'mute', containers: [container('main', fakeShell('#!/bin/sh\nsleep 1\nexit 3\n'))] },
  {
    name: 'liar',
    containers: [
      container('main', fakeShell("#!/bin/sh\nprintf 'IMPOUND-COLLECTOR 1\\nfile seq=1\\n'\n")),
    ],
  },
  { name: 'pending', unschedulable: '0/1 nodes are available', containers: [container('main')] },
  {
    name: 'completed',
    restartPolicy: 'Never',
    containers: [container('main', { command: ['/bin/sh', '-c', 'exit 0'] })],
  },
  {
    name: 'unpulled',
    containers: [container('main', { waiting: { reason: 'ErrImagePull', message: 'no such' } })],
  },
];

const read = ['get', 'list'];
const ACCOUNTS: readonly AccountSpec[] = [
  { name: 'impound/reader', rules: [{ resources: ['pods', 'events', 'nodes'], verbs: read }] },
  { name: 'impound/stranger', rules: [] },
];
const stage = stageFor({
  lab: {
    namespaces: [{ name: 'shop', pods: PODS }, { name: 'impound' }],
    accounts: ACCOUNTS,
  },
  known: { reader: 'impound/reader', stranger: 'impound/stranger' },
});

/** Asks and follows to the end; nothing may hang, and every end tells what to do next. */
async function failing(wanted: Wanted): Promise<{ chain: Chain; failed: Record<string, unknown> }> {
  const acquisitionId = await ask(stage.client, wanted);
  const shown = await ended(stage.client, acquisitionId);
  assert.equal(shown.status, 'failed', JSON.stringify(shown['ended']));
  const chain = await chainOf(stage.client, acquisitionId);
  return { chain, failed: chain.data('acquisition.failed.v1') };
}

/** The context is kept whatever was tried, and can still be fetched. */
async function assertContextKept(chain: Chain): Promise<void> {
  const { objects } = chain.data('context.stored.v1') as {
    objects: readonly { key: string; bytes: number }[];
  };
  assert.ok(objects.length > 0);
  for (const { key, bytes } of objects) {
    const [acquisitionId, set, name] = key.split('/').slice(-3);
    const path = `/v1/acquisitions/${acquisitionId}/evidence/${set}/${name}?purpose=test`;
    const response = await stage.client.stream(path);
    assert.equal((await response.bytes()).length, bytes);
  }
}

const MISSING: readonly (readonly [string, Wanted, string, RegExp])[] = [
  ['a pod that does not exist', { place: 'shop/nobody/main' }, 'pod-not-found', /nobody/],
  ['a namespace that does not exist', { place: 'nowhere/two/one' }, 'pod-not-found', /two/],
  ['a container that does not exist', { place: 'shop/two/third' }, 'container-not-found', /third/],
  ['a pod with two containers', { place: 'shop/two' }, 'container-ambiguous', /one.*other/],
  ['a selector that fits two', { place: 'shop?selector=app%3Dweb' }, 'selector-ambiguous', /web-1/],
  ['a selector that fits none', { place: 'shop?selector=app%3Dno' }, 'pod-not-found', /app=no/],
  [
    'a cluster nobody knows',
    { place: 'shop/two/one', cluster: 'other' },
    'cluster-unknown',
    /other/,
  ],
];

describe('bad targets', { concurrency: 3 }, () => {
  for (const [what, wanted, code, because] of MISSING) {
    test(`${what} fails as ${code}, says so and says what to do`, async () => {
      const { chain, failed } = await failing(wanted);
      assert.equal(failed['code'], code);
      assert.match(String(failed['because']), because);
      assert.ok(String(failed['next']).length > 20);
      assert.ok(!chain.types.includes('acquisition.assigned.v1'));
    });
  }

  test('an account without any right is told of all that is missing, in one manifest', async () => {
    const { chain, failed } = await failing({ place: 'shop/two/one', cluster: 'stranger' });
    assert.equal(failed['code'], 'forbidden');
    const because = String(failed['because']);
    assert.match(because, /^discovery: get pods is not granted in namespace shop; exec-stream: /);
    assert.match(because, /get pods, get pods\/exec and create pods\/exec are not granted/);
    const grant = String(chain.data('access.checked.v1')['grant']);
    assert.equal(grant.match(/^kind: Role$/gm)?.length, 1, 'one role, for it is one account');
    const rights = grant.match(/resources: \['([^']+)'\]\n.*\['two'\]\n.*verbs: \['(\w+)'\]/g);
    assert.equal(rights?.length, 3, grant);
    assert.match(String(failed['next']), /apply the RBAC manifest/);
  });

  test('a selector that may not be listed is granted the list, and nothing on pods unknown', async () => {
    const wanted = { place: 'shop?selector=app%3Dweb', cluster: 'stranger' };
    const { chain, failed } = await failing(wanted);
    const because = String(failed['because']);
    assert.match(because, /^discovery: list pods is not granted in namespace shop/);
    assert.doesNotMatch(because, /exec-stream/, 'of rights on an unknown pod nothing is known');
    const grant = String(chain.data('access.checked.v1')['grant']);
    assert.match(grant, /resources: \['pods'\]\n {4}verbs: \['list'\]/);
    assert.equal(grant.match(/verbs:/g)?.length, 1);
  });

  test('an account that may look only gets no way in, and the manifest that grants one', async () => {
    const { chain, failed } = await failing({ place: 'shop/two/one', cluster: 'reader' });
    assert.equal(failed['code'], 'no-way-in');
    assert.match(String(failed['because']), /create pods\/exec are not granted in namespace shop/);
    const { grant } = chain.data('access.checked.v1');
    assert.match(String(grant), /kind: Role\n[\s\S]*pods\/exec/);
    const touched = stage.lab.audit.filter(
      ({ account, path }) => account === 'impound/reader' && path.includes('/exec'),
    );
    assert.deepEqual(touched, []);
    await assertContextKept(chain);
  });

  for (const [pod, state] of [
    ['pending', /waiting|not running/],
    ['completed', /terminated/],
    ['unpulled', /waiting/],
  ] as const) {
    test(`a ${pod} container is not tried: there is nothing to run in`, async () => {
      const { chain, failed } = await failing({ place: `shop/${pod}/main` });
      assert.equal(failed['code'], 'no-way-in');
      assert.match(String(failed['because']), state);
      await assertContextKept(chain);
    });
  }

  for (const [pod, because] of [
    ['distroless', /the image has no shell/],
    ['garbage', /is no collector/],
    ['endless', /is no collector/],
    ['mute', /sh ended with 3/],
    ['liar', /a record of a kind/],
  ] as const) {
    test(`a ${pod} shell ends clearly, leaves no process, and the context is kept`, async (t) => {
      const { chain, failed } = await failing({ place: `shop/${pod}/main` });
      assert.equal(failed['code'], 'ladder-exhausted');
      assert.match(String(failed['because']), because);
      t.diagnostic(`${failed['because']} / next: ${failed['next']}`);
      assert.ok(!chain.types.includes('evidence.captured.v1'));
      await assertContextKept(chain);
      // What is no shell cannot be told to end: it hangs in a write that nobody reads.
      const left = pod === 'endless' ? ['sh'] : [];
      await assertLeft(stage.lab.pidOf('shop', pod, 'main'), left);
    });
  }

  test('the cluster was never asked for anything that no acquisition needs', () => {
    const odd = stage.lab.audit.filter(({ path }) => /secrets|configmaps|attach/.test(path));
    assert.deepEqual(odd, [], CLUSTER);
  });
});
