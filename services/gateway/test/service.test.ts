// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcquisitionAssignedV1 } from '@impound/contracts/acquisition/assigned.v1.ts';
import { AcquisitionFailedV1 } from '@impound/contracts/acquisition/failed.v1.ts';
import { AcquisitionJoinedV1 } from '@impound/contracts/acquisition/joined.v1.ts';
import { GatewaySubmitV1 } from '@impound/contracts/ask/gateway.submit.v1.ts';
import { outsideSubject, type ReplyOf } from '@impound/contracts/question.ts';
import { connect } from '@nats-io/transport-node';
import { house, LIMIT, ORDER, problemOf, TOKEN } from './gateway-in-a-house.ts';

type Submitted = ReplyOf<typeof GatewaySubmitV1>;

test('an order is answered after it was recorded, with the place to look', LIMIT, async (t) => {
  const { ledger, ask, post } = await house(t);
  const answer = await post('/v1/acquisitions', ORDER);
  assert.equal(answer.status, 202);
  const { acquisitionId } = (await answer.json()) as { acquisitionId: string };
  const [requested] = ledger.chain(acquisitionId);
  assert.equal(requested?.event.type, 'acquisition.requested.v1');
  const self = answer.headers.get('location') ?? '';
  assert.equal(self, `/v1/acquisitions/${acquisitionId}`);
  const view = (await (await ask(self)).json()) as Record<string, unknown>;
  assert.equal(view['status'], 'resolving');
  assert.equal(view['target'], ORDER.target);
  const listed = await ask('/v1/acquisitions?case=IR-2026-017&limit=1');
  const { acquisitions } = (await listed.json()) as { acquisitions: { acquisitionId: string }[] };
  assert.deepEqual(
    acquisitions.map((one) => one.acquisitionId),
    [acquisitionId],
  );
  const none = await (await ask('/v1/acquisitions?case=IR-1')).json();
  assert.deepEqual(none, { acquisitions: [] });
  const lines = (await (await ask(`${self}/chain`)).text()).trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    ledger.chain(acquisitionId),
  );
});

test(
  'an order repeated under one key is one acquisition, also when both come at once',
  LIMIT,
  async (t) => {
    const { ledger, post } = await house(t);
    const key = { 'idempotency-key': 'alert-4711' };
    const submit = (body: object, who: 'siem' | 'analyst' | 'stranger' = 'siem') =>
      post('/v1/acquisitions', body, who, key);
    const answers = await Promise.all([submit(ORDER), submit(ORDER), submit(ORDER)]);
    const bodies = await Promise.all(answers.map((answer) => answer.text()));
    assert.deepEqual(
      answers.map((answer) => answer.status),
      [202, 202, 202],
    );
    assert.equal(new Set(bodies).size, 1);
    assert.equal(await (await submit(ORDER)).text(), bodies[0]);
    const { acquisitionId } = JSON.parse(bodies[0] ?? '') as { acquisitionId: string };
    assert.equal(ledger.chain(acquisitionId).length, 1);
    await problemOf(await submit({ ...ORDER, reason: 'something else' }), 422, 'key-reused');
    for (const who of ['analyst', 'stranger'] as const) {
      assert.notEqual(await (await submit(ORDER, who)).text(), bodies[0]);
    }
    const spaced = { 'idempotency-key': 'a b' };
    await problemOf(await post('/v1/acquisitions', ORDER, 'siem', spaced), 422, 'order-refused');
  },
);

test('what needs a second person waits for one, and not for who asked', LIMIT, async (t) => {
  const { begin, post, ask, ledger } = await house(t);
  const self = (id: string) => `/v1/acquisitions/${id}`;
  const because = { reason: 'confirmed with the shop team' };
  const id = await begin('analyst');
  assert.equal(ledger.chain(id)[0]?.event.data['policy'] !== undefined, true);
  await problemOf(await post(`${self(id)}/approve`, because, 'analyst'), 403, 'forbidden');
  await problemOf(await post(`${self(id)}/approve`, because, 'siem'), 403, 'forbidden');
  await problemOf(await post(`${self(id)}/approve`, because, 'stranger'), 404, 'not-found');
  await problemOf(await post(`${self(id)}/approve`, {}, 'lead'), 422, 'order-refused');
  assert.equal((await post(`${self(id)}/approve`, because, 'lead')).status, 202);
  await problemOf(await post(`${self(id)}/refuse`, because, 'lead'), 409, 'nothing-to-decide');
  const behalf = await begin('siem', { ...ORDER, onBehalfOf: 'lead' });
  await problemOf(await post(`${self(behalf)}/refuse`, because, 'lead'), 403, 'forbidden');
  const other = await begin('analyst');
  assert.equal((await post(`${self(other)}/refuse`, because, 'lead')).status, 202);
  const view = (await (await ask(self(other))).json()) as { status: string };
  assert.equal(view.status, 'refused');
  await problemOf(await post(`${self(other)}/approve`, because, 'lead'), 409, 'nothing-to-decide');
  await problemOf(await post(`${self(other)}/cancel`, because), 403, 'forbidden');
  await problemOf(await post(`${self(other)}/cancel`, because, 'lead'), 409, 'nothing-to-decide');
});

test('a cancellation is recorded once however often it is asked for', LIMIT, async (t) => {
  const { begin, post, ledger } = await house(t);
  const id = await begin();
  const cancel = (who: 'siem' | 'lead') =>
    post(`/v1/acquisitions/${id}/cancel`, { reason: 'wrong pod' }, who);
  const answers = await Promise.all([cancel('siem'), cancel('siem'), cancel('lead')]);
  assert.deepEqual(
    answers.map((answer) => answer.status),
    [202, 202, 202],
  );
  const cancelled = ledger
    .chain(id)
    .filter((one) => one.event.type === 'cancellation.requested.v1');
  assert.equal(cancelled.length, 1);
});

test(
  'an acquisition shows what it joins, how it ended and what each execution was',
  LIMIT,
  async (t) => {
    const { begin, ask, ledger } = await house(t);
    const acquisitionId = await begin();
    await ledger.record({
      contract: AcquisitionAssignedV1,
      data: AcquisitionAssignedV1.example as AcquisitionAssignedV1,
      acquisitionId,
    });
    const data = AcquisitionJoinedV1.example as AcquisitionJoinedV1;
    await ledger.record({ contract: AcquisitionJoinedV1, data, acquisitionId });
    const view = (await (await ask(`/v1/acquisitions/${acquisitionId}`)).json()) as {
      status: string;
      executions: { epoch: number }[];
      links: { joins: string };
    };
    assert.equal(view.status, 'joined');
    assert.equal(view.executions[0]?.epoch, 1);
    assert.equal(view.links.joins, `/v1/acquisitions/${data.joins}`);
  },
);

test('nobody sees what belongs to another tenant', LIMIT, async (t) => {
  const { begin, ask, post } = await house(t);
  const self = `/v1/acquisitions/${await begin()}`;
  const places = ['', '/chain', '/events', '/evidence/e1/manifest.jsonl?purpose=spying'];
  for (const place of places) {
    await problemOf(await ask(self + place, {}, 'stranger'), 404, 'not-found');
  }
  const cancel = await post(`${self}/cancel`, { reason: 'x' }, 'stranger');
  await problemOf(cancel, 404, 'not-found');
  assert.deepEqual(await (await ask('/v1/acquisitions', {}, 'stranger')).json(), {
    acquisitions: [],
  });
});

test('the NATS door takes the same orders by the same code', LIMIT, async (t) => {
  const { bus, ledger, post } = await house(t);
  const connection = await connect({ servers: bus.url });
  t.after(() => connection.close());
  const submit = async (
    changes: object,
    at = outsideSubject('gateway.submit.v1', 'default', 'siem'),
  ) => {
    const request = { tenant: 'default', token: TOKEN.siem, order: ORDER, ...changes };
    const answer = await connection.request(at, JSON.stringify(request), { timeout: 10_000 });
    const fault = answer.headers?.get('Nats-Service-Error-Code');
    return fault ? { fault } : GatewaySubmitV1.reply.parse(answer.json());
  };
  const { acquisitionId = '' } = (await submit({ idempotencyKey: 'alert-1' })) as Submitted;
  assert.equal(ledger.chain(acquisitionId).length, 1);
  const key = { 'idempotency-key': 'alert-1' };
  const http = await post('/v1/acquisitions', ORDER, 'siem', key);
  assert.equal(((await http.json()) as { acquisitionId: string }).acquisitionId, acquisitionId);
  const other = outsideSubject('gateway.submit.v1', 'default', 'analyst');
  const wrong = [
    [await submit({ token: 'nobody knows this one' }), 401],
    [await submit({ token: undefined }), 401],
    [await submit({ tenant: 'other' }), 403],
    [await submit({}, other), 403],
    [await submit({ order: { ...ORDER, target: 'https://example.com' } }), 422],
    [await submit({ idempotencyKey: 'alert-1', order: { ...ORDER, reason: 'else' } }), 422],
  ] as const;
  for (const [answer, status] of wrong) assert.equal((answer as Submitted).problem?.status, status);
  assert.deepEqual(await submit({ order: { ...ORDER, surprise: 1 } }), { fault: '400' });
});

test(
  'without a ledger an order is refused in time, and told that it may be on record',
  LIMIT,
  async (t) => {
    const { ledger, post, ask, begin } = await house(t);
    const id = await begin();
    await ledger.stop();
    const began = performance.now();
    const key = { 'idempotency-key': 'alert-2' };
    const [answer, look] = await Promise.all([
      post('/v1/acquisitions', ORDER, 'siem', key),
      ask(`/v1/acquisitions/${id}`),
    ]);
    assert.equal(answer.headers.get('retry-after'), '2');
    const { detail } = await problemOf(answer, 503, 'unavailable');
    assert.match(detail, /may have been recorded.*same Idempotency-Key/);
    await problemOf(look, 503, 'unavailable');
    assert.ok(performance.now() - began < 12_000);
  },
);

test('an ended chain can still be read', LIMIT, async (t) => {
  const { begin, ask, ledger } = await house(t);
  const acquisitionId = await begin();
  const data = AcquisitionFailedV1.example as AcquisitionFailedV1;
  await ledger.record({ contract: AcquisitionFailedV1, data, acquisitionId });
  const view = (await (await ask(`/v1/acquisitions/${acquisitionId}`)).json()) as {
    status: string;
    ended: { data: { next: string } };
  };
  assert.equal(view.status, 'failed');
  assert.equal(view.ended.data.next, data.next);
});
