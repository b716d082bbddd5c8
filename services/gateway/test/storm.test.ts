// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcquisitionFailedV1 } from '@impound/contracts/acquisition/failed.v1.ts';
import { AcquisitionSealedV1 } from '@impound/contracts/acquisition/sealed.v1.ts';
import { house, LIMIT, ORDER, problemOf, tokenCredential } from './gateway-in-a-house.ts';

const bound = (more: object) => ({
  id: 'bound',
  kind: 'integration',
  tenant: 'default',
  credentials: [tokenCredential('token-of-the-bound')],
  clusters: ['*'],
  namespaces: ['*'],
  approval: 'never',
  // Far longer than a test: nothing here waits for a window to end.
  stormSeconds: 86_400,
  ...more,
});

const finding = (uid: string, more: object = {}) => ({ ...ORDER, finding: { uid }, ...more });

async function opened(t: Parameters<typeof house>[0], more: object = {}) {
  const whole = await house(t, [bound(more)]);
  const order = (body: object, headers: Record<string, string> = {}) =>
    whole.post('/v1/acquisitions', body, 'siem', {
      authorization: 'Bearer token-of-the-bound',
      ...headers,
    });
  const idOf = async (answer: Response) => {
    assert.equal(answer.status, 202, await answer.clone().text());
    return ((await answer.json()) as { acquisitionId: string }).acquisitionId;
  };
  const types = (id: string) => whole.ledger.chain(id).map(({ event }) => event.type);
  return { ...whole, order, idOf, types };
}

test(
  'a storm of findings on one container is one acquisition, and none is lost',
  LIMIT,
  async (t) => {
    const { order, idOf, ledger } = await opened(t);
    const uids = Array.from({ length: 24 }, (_, index) => `alert-${index}`);
    const answers = await Promise.all(uids.map((uid) => order(finding(uid))));
    const ids = new Set(await Promise.all(answers.map(idOf)));
    assert.equal(ids.size, 1, [...ids].join());
    const chain = ledger.chain([...ids][0] ?? '');
    assert.equal(chain[0]?.event.type, 'acquisition.requested.v1');
    assert.ok(chain.slice(1).every(({ event }) => event.type === 'acquisition.triggered.v1'));
    const recorded = chain.map(({ event }) => (event.data['finding'] as { uid: string }).uid);
    assert.deepEqual(recorded.toSorted(), uids.toSorted());
  },
);

test(
  'an alert that fires again is the same order, whichever chain it stands on',
  LIMIT,
  async (t) => {
    const { order, idOf, types } = await opened(t);
    const id = await idOf(await order(finding('alert-1')));
    await order(finding('alert-2'));
    assert.equal(types(id).length, 2);
    for (const uid of ['alert-1', 'alert-2', 'alert-1']) {
      assert.equal(await idOf(await order(finding(uid, { reason: 'fired again' }))), id);
    }
    assert.equal(types(id).length, 2, 'nothing new is on record');
  },
);

test('a key that fell into a storm still means that order and no other', LIMIT, async (t) => {
  const { order, idOf, types } = await opened(t);
  const id = await idOf(await order(finding('alert-1'), { 'idempotency-key': 'one' }));
  const two = { 'idempotency-key': '"two"' };
  const bare = { 'idempotency-key': 'two' };
  assert.equal(await idOf(await order(finding('alert-2'), two)), id);
  assert.equal(await idOf(await order(finding('alert-2'), bare)), id);
  assert.equal(types(id).length, 2);
  await problemOf(await order(finding('alert-3'), two), 422, 'key-reused');
});

test(
  'a sealed acquisition gathers on; one that came to nothing is followed by another',
  LIMIT,
  async (t) => {
    const { order, idOf, ledger, types } = await opened(t);
    const first = await idOf(await order(finding('alert-1')));
    const failed = AcquisitionFailedV1.shape.parse(AcquisitionFailedV1.example);
    await ledger.record({ contract: AcquisitionFailedV1, data: failed, acquisitionId: first });
    const second = await idOf(await order(finding('alert-2')));
    assert.notEqual(second, first);
    const sealed = AcquisitionSealedV1.shape.parse(AcquisitionSealedV1.example);
    await ledger.record({ contract: AcquisitionSealedV1, data: sealed, acquisitionId: second });
    assert.equal(await idOf(await order(finding('alert-3'))), second);
    assert.deepEqual(types(second).at(-1), 'acquisition.triggered.v1');
  },
);

test('other things of the same container are another acquisition', LIMIT, async (t) => {
  const { order, idOf, begin } = await opened(t);
  const id = await idOf(await order(finding('alert-1')));
  for (const more of [{ profile: 'full' }, { paths: ['/srv'] }, { caseId: 'IR-2' }]) {
    assert.notEqual(await idOf(await order(finding('alert-2', more))), id);
  }
  assert.notEqual(await begin('lead', finding('alert-1')), id, 'another one asks');
});

test(
  'as many acquisitions are open as may be, and then it is 429 until one ends',
  LIMIT,
  async (t) => {
    const { order, idOf, ledger } = await opened(t, { limits: { openMax: 3 }, stormSeconds: 0 });
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => order(ORDER)));
    const statuses = answers.map(({ status }) => status).toSorted();
    assert.deepEqual(statuses, [202, 202, 202, 429, 429]);
    const busy = answers.find(({ status }) => status === 429);
    assert.ok(busy);
    const { detail } = await problemOf(busy, 429, 'too-many');
    assert.match(detail, /3 acquisitions of bound are open/);
    const done = answers.find(({ status }) => status === 202);
    assert.ok(done);
    const failed = AcquisitionFailedV1.shape.parse(AcquisitionFailedV1.example);
    const acquisitionId = await idOf(done);
    await ledger.record({ contract: AcquisitionFailedV1, data: failed, acquisitionId });
    // A place that became free is found by whoever comes back for it.
    let answer = await order(ORDER);
    while (answer.status === 429) answer = await order(ORDER);
    assert.equal(answer.status, 202);
    assert.equal((await order(ORDER)).status, 429);
  },
);

test('a repeat finds what the first began also while nothing more may begin', LIMIT, async (t) => {
  const { order, idOf } = await opened(t, { limits: { openMax: 1 }, stormSeconds: 0 });
  const one = { 'idempotency-key': 'one' };
  const id = await idOf(await order(ORDER, one));
  for (const key of ['two', 'three']) {
    const refused = await order(ORDER, { 'idempotency-key': key });
    await problemOf(refused, 429, 'too-many');
    assert.equal(await idOf(await order(ORDER, one)), id);
  }
  await problemOf(await order({ ...ORDER, caseId: 'IR-2' }, one), 422, 'key-reused');
});

test('orders have a rate of their own', LIMIT, async (t) => {
  const { order, ask } = await opened(t, { limits: { ordersPerHour: 2 }, stormSeconds: 0 });
  assert.deepEqual([(await order(ORDER)).status, (await order(ORDER)).status], [202, 202]);
  const { detail } = await problemOf(await order(ORDER), 429, 'too-many');
  assert.match(detail, /2 orders an hour/);
  assert.equal((await ask('/v1/acquisitions')).status, 200);
});
