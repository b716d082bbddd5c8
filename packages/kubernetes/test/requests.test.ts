// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { reviewAccess } from '../src/access.ts';
import { getJson, postJson } from '../src/api.ts';
import { type ScriptedAnswer, scriptedCluster } from './scripted-cluster.ts';

const PATH = ['version'];
const RIGHT = { verb: 'get', group: '', resource: 'pods' };
const SOME_SECONDS_MS = 4_000;
const YES: ScriptedAnswer = { status: 200, body: { status: { allowed: true } } };

test('questions go over one connection, what changes something over its own', async (t) => {
  await using cluster = await scriptedCluster({ http: () => YES });
  const connection = await cluster.connect();
  for (let at = 0; at < 3; at++) await getJson(connection, { path: PATH }, t.signal);
  const [answer] = await reviewAccess(connection, [RIGHT], t.signal);
  assert.equal(answer?.verdict, 'allowed');
  await postJson(connection, { path: PATH, body: {} }, t.signal);
  const ports = cluster.seen.map(({ port }) => port);
  assert.equal(new Set(ports.slice(0, 4)).size, 1);
  assert.equal(new Set(ports).size, 2);
});

test('a question that comes some seconds after another goes over its connection', async (t) => {
  await using cluster = await scriptedCluster({ http: () => YES });
  const connection = await cluster.connect();
  await getJson(connection, { path: PATH }, t.signal);
  await setTimeout(SOME_SECONDS_MS);
  await getJson(connection, { path: PATH }, t.signal);
  assert.equal(cluster.seen[1]?.port, cluster.seen[0]?.port);
});

test('a question over a connection that the server ends just then is asked again', async (t) => {
  const answers = [YES, 'drop', YES] as const;
  await using cluster = await scriptedCluster({
    http: () => answers[cluster.seen.length - 1] ?? 'drop',
  });
  const connection = await cluster.connect();
  await getJson(connection, { path: PATH }, t.signal);
  assert.deepEqual(await getJson(connection, { path: PATH }, t.signal), YES.body);
  assert.equal(cluster.seen.length, 3);
  // Over a new connection it is no matter of age, and not asked again.
  await assert.rejects(postJson(connection, { path: PATH, body: {} }, t.signal), {
    name: 'KubernetesFault',
  });
  assert.equal(cluster.seen.length, 4);
});
