// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exec } from '../src/exec.ts';
import { start, V5 } from './exec-cluster.ts';
import { scriptedCluster } from './scripted-cluster.ts';

test('an abort before or during the handshake rejects with aborted', async () => {
  await using on = await scriptedCluster({ exec: () => 'hang' });
  await assert.rejects(start(on, AbortSignal.abort()), { code: 'aborted' });
  await assert.rejects(start(on, AbortSignal.timeout(30)), { code: 'aborted' });
});

test('a server that neither accepts nor refuses runs into the handshake deadline', async (t) => {
  await using on = await scriptedCluster({ exec: () => 'hang' });
  await assert.rejects(start(on, t.signal, { handshakeMsMax: 50 }), { code: 'timeout' });
});

test('an upgrade without the ready frame runs into the ready deadline', async (t) => {
  await using on = await scriptedCluster({
    exec: () => ({ protocol: V5, play: () => undefined }),
  });
  await assert.rejects(start(on, t.signal, { readyMsMax: 50 }), { code: 'timeout' });
});

test('the text of OpenShift about security contexts is a code of its own', async (t) => {
  const message =
    'pods "web" is forbidden: exec operation is not allowed because the pod\'s security context exceeds your permissions';
  const body = { kind: 'Status', status: 'Failure', reason: 'Forbidden', message, code: 403 };
  await using on = await scriptedCluster({ exec: () => ({ status: 403, body }) });
  await assert.rejects(start(on, t.signal), { code: 'scc-denied' });
});

test('a redirect, a full server and a node out of reach are told apart', async (t) => {
  const dial = 'error dialing backend: dial tcp 10.0.0.7:10250: i/o timeout';
  const headers = { 'retry-after': '7', location: 'https://other.test/' };
  for (const [answer, expected] of [
    [
      { status: 302, headers },
      { code: 'api-error', status: 302 },
    ],
    [
      { status: 429, headers },
      { code: 'too-many-requests', retryAfterMs: 7_000 },
    ],
    [{ status: 500, body: dial }, { code: 'node-unreachable' }],
    [{ status: 503 }, { code: 'unreachable' }],
  ] as const) {
    await using on = await scriptedCluster({ exec: () => answer });
    await assert.rejects(start(on, t.signal), expected);
    assert.equal(on.seen.length, 1);
  }
});

test('names with slashes and dots cannot leave their place in the path', async (t) => {
  await using on = await scriptedCluster({ exec: () => ({ status: 404 }) });
  const connection = await on.connect();
  const argv = ['true'];
  const odd = { namespace: 'shop', pod: '../../secrets?x=#', container: 'app', argv };
  await assert.rejects(exec(connection, odd, t.signal), { code: 'not-found' });
  const path = '/api/v1/namespaces/shop/pods/..%2F..%2Fsecrets%3Fx%3D%23/exec';
  assert.equal(on.seen[0]?.rawUrl.split('?')[0], path);
  for (const bad of [
    { ...odd, pod: '..' },
    { ...odd, pod: '' },
    { ...odd, argv: [] },
    { ...odd, argv: ['a\0b'] },
    { ...odd, argv: ['x'.repeat(9_000)] },
    { ...odd, container: '' },
  ]) {
    await assert.rejects(exec(connection, bad, t.signal), { code: 'invalid-request' });
  }
  assert.equal(on.seen.length, 1);
});
