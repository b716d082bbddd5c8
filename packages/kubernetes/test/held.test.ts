// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { greetCluster, heldRules } from '../src/held.ts';
import { answered } from './answers.ts';
import { recording } from './recording.ts';
import { scriptedCluster } from './scripted-cluster.ts';

function review(status: unknown) {
  return { http: () => ({ status: 201, body: { kind: 'SelfSubjectRulesReview', status } }) };
}

test('rules come with their wildcards, and what a rule leaves out is nothing', async (t) => {
  const rule = { verbs: ['get'], apiGroups: [''], resources: ['pods/exec'], resourceNames: ['a'] };
  const resourceRules = [rule, { verbs: ['*'] }];
  await using cluster = await scriptedCluster(review({ resourceRules, incomplete: false }));
  const held = await heldRules(await cluster.connect(), 'shop', t.signal);
  assert.deepEqual(held, {
    rules: [
      { verbs: ['get'], groups: [''], resources: ['pods/exec'], names: ['a'] },
      { verbs: ['*'], groups: [], resources: [], names: [] },
    ],
    incomplete: undefined,
  });
  const [seen] = cluster.seen;
  assert.equal(seen?.url.pathname, '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews');
  assert.deepEqual(JSON.parse(seen?.body ?? '').spec, { namespace: 'shop' });
});

const RECORDED = recording('auth-rules-review').filter(({ request }) =>
  request?.path.endsWith('/selfsubjectrulesreviews'),
);
for (const one of RECORDED.filter(({ response }) => response?.status === 201)) {
  test(`what a real cluster told of ${one.title} is read whole`, async (t) => {
    await using cluster = await scriptedCluster({ http: () => answered(one) });
    const { rules, incomplete } = await heldRules(await cluster.connect(), 'shop', t.signal);
    assert.equal(incomplete, undefined);
    assert.ok(rules.length > 0);
    assert.ok(rules.every(({ verbs, resources }) => verbs.length > 0 && resources.length > 0));
  });
}

test('a list that is not whole says so, in one line of the cluster', async (t) => {
  const status = {
    resourceRules: null,
    incomplete: true,
    evaluationError: 'webhook\n\u001b[2Jgone',
  };
  await using cluster = await scriptedCluster(review(status));
  const { rules, incomplete } = await heldRules(await cluster.connect(), 'shop', t.signal);
  assert.deepEqual(rules, []);
  assert.equal(incomplete, 'webhook [2Jgone');
});

const HOSTILE: readonly (readonly [string, unknown])[] = [
  ['no status', undefined],
  ['rules that are no list', { resourceRules: 'all' }],
  ['verbs that are no words', { resourceRules: [{ verbs: [1] }] }],
  ['more rules than anybody writes', { resourceRules: Array.from({ length: 6_000 }, () => ({})) }],
];
for (const [what, status] of HOSTILE) {
  test(`a review with ${what} is malformed`, async (t) => {
    await using cluster = await scriptedCluster(review(status));
    const asked = heldRules(await cluster.connect(), 'shop', t.signal);
    await assert.rejects(asked, { code: 'malformed-answer' });
  });
}

test('a greeting tells the version and the time of the cluster', async (t) => {
  const http = () => ({
    status: 200,
    headers: { date: 'Sat, 28 Nov 2026 04:00:00 GMT' },
    body: { gitVersion: 'v1.36.2' },
  });
  await using cluster = await scriptedCluster({ http });
  assert.deepEqual(await greetCluster(await cluster.connect(), t.signal), {
    version: 'v1.36.2',
    now: Date.UTC(2026, 10, 28, 4),
  });
});

test('who refuses to greet has answered all the same', async (t) => {
  await using cluster = await scriptedCluster({ http: () => ({ status: 403, body: 'no' }) });
  const { version } = await greetCluster(await cluster.connect(), t.signal);
  assert.equal(version, 'an answer with 403');
});
