// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reviewAccess, reviewSelf } from '../src/access.ts';
import { answered } from './answers.ts';
import { step } from './recording.ts';
import { type SeenRequest, scriptedCluster } from './scripted-cluster.ts';

const RIGHT = {
  verb: 'create',
  group: '',
  resource: 'pods',
  subresource: 'exec',
  namespace: 'shop',
};

const REVIEWS = [
  ['named-exec: create pods/exec for the named pod', 'allowed', /allowed by RoleBinding/],
  ['norights: create pods/exec in shop', 'denied', /no role grants it/],
  ['no credential', 'unknown', /forbidden/],
  ['empty spec', 'unknown', /422/],
] as const;

for (const [title, verdict, reason] of REVIEWS) {
  test(`an access review answered as in "${title}" is ${verdict}`, async (t) => {
    const http = () => answered(step('auth-access-review', title));
    await using cluster = await scriptedCluster({ http });
    const [answer] = await reviewAccess(await cluster.connect(), [RIGHT], t.signal);
    assert.equal(answer?.verdict, verdict);
    assert.match(answer?.reason ?? '', reason);
    const { spec } = JSON.parse(cluster.seen[0]?.body ?? '{}');
    assert.deepEqual(spec.resourceAttributes, RIGHT);
  });
}

test('reviews keep the order of the rights, and an authorizer that failed is unknown', async (t) => {
  const http = ({ body }: SeenRequest) => {
    const { verb } = JSON.parse(body).spec.resourceAttributes;
    const evaluationError = verb === 'list' ? 'webhook timed out' : '';
    return { status: 201, body: { status: { allowed: verb === 'get', evaluationError } } };
  };
  await using cluster = await scriptedCluster({ http });
  const verbs = ['get', 'list', 'create', 'get', 'patch', 'list'];
  const rights = verbs.map((verb) => ({ verb, group: '', resource: 'pods' }));
  const answers = await reviewAccess(await cluster.connect(), rights, t.signal);
  assert.deepEqual(
    answers.map(({ right, verdict }) => `${right.verb} ${verdict}`),
    ['get allowed', 'list unknown', 'create denied', 'get allowed', 'patch denied', 'list unknown'],
  );
});

test('a right written with a slash is refused before it is asked, it never matches', async (t) => {
  await using cluster = await scriptedCluster({});
  const right = { verb: 'get', group: '', resource: 'pods/exec' };
  const asked = reviewAccess(await cluster.connect(), [right], t.signal);
  await assert.rejects(asked, { code: 'invalid-request' });
  assert.equal(cluster.seen.length, 0);
});

test('who asks is what the cluster says, and not known where it does not say', async (t) => {
  const ANSWERS = [
    [{ status: 201, body: { status: { userInfo: { username: 'somebody' } } } }, 'somebody'],
    [{ status: 201, body: { status: { userInfo: { username: '' } } } }, undefined],
    [{ status: 201, body: { status: {} } }, undefined],
    [{ status: 404, body: { kind: 'Status' } }, undefined],
    [{ status: 403, body: { kind: 'Status' } }, undefined],
  ] as const;
  for (const [answer, name] of ANSWERS) {
    await using cluster = await scriptedCluster({ http: () => answer });
    assert.equal(await reviewSelf(await cluster.connect(), t.signal), name);
    assert.equal(cluster.seen.length, 1);
  }
});
