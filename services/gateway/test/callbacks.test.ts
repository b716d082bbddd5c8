// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { AcquisitionFailedV1 } from '@impound/contracts/acquisition/failed.v1.ts';
import { AcquisitionSealedV1 } from '@impound/contracts/acquisition/sealed.v1.ts';
import { CallbackRequestedV1 } from '@impound/contracts/callback/requested.v1.ts';
import { until } from '@impound/runtime/testing/until.ts';
import { Webhook } from 'standardwebhooks';
import { openPost } from '../src/adapters/webhook-post.ts';
import { house, LIMIT, ORDER, problemOf, tokenCredential } from './gateway-in-a-house.ts';

const SECRET = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
const OLD = `whsec_${Buffer.alloc(32, 6).toString('base64')}`;
const LOOPBACK = { CALLBACK_NETWORKS: '127.0.0.0/8' };

interface Got {
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** A receiver that answers each message with the next of these statuses, the last for ever. */
async function receiver(t: TestContext, ...statuses: readonly number[]) {
  const got: Got[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const headers = request.headers as Record<string, string>;
    got.push({ headers, body: Buffer.concat(chunks).toString('utf8') });
    const status = statuses[Math.min(got.length, statuses.length) - 1] ?? 204;
    response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return { got, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/in` };
}

function told(url: string, more: object = {}): object {
  return {
    id: 'told',
    kind: 'integration',
    tenant: 'default',
    credentials: [tokenCredential('token-of-the-told')],
    clusters: ['*'],
    namespaces: ['*'],
    approval: 'never',
    callback: { url, secrets: [SECRET, OLD] },
    ...more,
  };
}

const FAILED = AcquisitionFailedV1.shape.parse(AcquisitionFailedV1.example);
const SEALED = AcquisitionSealedV1.shape.parse(AcquisitionSealedV1.example);

async function opened(t: TestContext, integration: object, environment: Record<string, string>) {
  const whole = await house(t, [integration], environment);
  const init = { authorization: 'Bearer token-of-the-told' };
  const answer = await whole.post('/v1/acquisitions', ORDER, 'siem', init);
  assert.equal(answer.status, 202, await answer.clone().text());
  const { acquisitionId } = (await answer.json()) as { acquisitionId: string };
  const said = (type: string) => () =>
    whole.ledger.chain(acquisitionId).find(({ event }) => event.type === type)?.event;
  return { ...whole, acquisitionId, said };
}

test(
  'the end is told once, signed so that the foreign library verifies it, and on record',
  LIMIT,
  async (t) => {
    const { got, url } = await receiver(t, 204);
    const { ledger, acquisitionId, said } = await opened(t, told(url), LOOPBACK);
    await ledger.record({ contract: AcquisitionSealedV1, data: SEALED, acquisitionId });
    const delivered = await until(said('callback.delivered.v1'));
    assert.equal(got.length, 1);
    const [message] = got;
    assert.ok(message);
    for (const secret of [SECRET, OLD]) new Webhook(secret).verify(message.body, message.headers);
    const body = JSON.parse(message.body) as { type: string; data: Record<string, unknown> };
    assert.equal(body.type, 'acquisition.sealed');
    assert.equal(body.data['acquisitionId'], acquisitionId);
    assert.equal(body.data['manifest'], SEALED.manifest);
    assert.equal(delivered.data['messageId'], message.headers['webhook-id']);
    assert.deepEqual([delivered.data['attempt'], delivered.data['status']], [1, 204]);
  },
);

test(
  'what was not taken is told again after a restart, under the same id, and then no more',
  LIMIT,
  async (t) => {
    const { got, url } = await receiver(t, 503, 204);
    const { ledger, acquisitionId, said, restart } = await opened(t, told(url), LOOPBACK);
    await ledger.record({ contract: AcquisitionFailedV1, data: FAILED, acquisitionId });
    const failed = await until(said('callback.failed.v1'));
    assert.equal(failed.data['because'], 'it answered 503');
    assert.ok(failed.data['againAt']);
    await restart();
    const delivered = await until(said('callback.delivered.v1'));
    assert.equal(delivered.data['attempt'], 2);
    assert.equal(got.length, 2);
    assert.equal(got[0]?.headers['webhook-id'], got[1]?.headers['webhook-id']);
    assert.equal(got[0]?.body, got[1]?.body);
  },
);

test('who says that it is gone is not told again', LIMIT, async (t) => {
  const { url } = await receiver(t, 410);
  const { ledger, acquisitionId, said } = await opened(t, told(url), LOOPBACK);
  await ledger.record({ contract: AcquisitionFailedV1, data: FAILED, acquisitionId });
  const failed = await until(said('callback.failed.v1'));
  assert.deepEqual(
    [failed.data['because'], failed.data['againAt']],
    ['it answered 410', undefined],
  );
});

const AGAIN = { reason: 'the receiver works again' };

test(
  'what was given up is listed, and told once more when somebody who may asks for it',
  LIMIT,
  async (t) => {
    const { got, url } = await receiver(t, 410, 410, 204);
    const it = await opened(t, told(url), LOOPBACK);
    const { ledger, acquisitionId, ask, post } = it;
    const listed = async (who: 'lead' | 'stranger' = 'lead') => {
      const answer = await ask('/v1/callbacks', {}, who);
      return ((await answer.json()) as { callbacks: Record<string, unknown>[] }).callbacks;
    };
    const again = `/v1/acquisitions/${acquisitionId}/call-back`;
    await problemOf(await post(again, AGAIN, 'lead'), 409, 'nothing-to-decide');
    const end = await ledger.record({ contract: AcquisitionSealedV1, data: SEALED, acquisitionId });
    const failed = await until(it.said('callback.failed.v1'));
    const [first, ...others] = await listed();
    assert.deepEqual(others, []);
    assert.equal(first?.['acquisitionId'], acquisitionId);
    assert.deepEqual([first?.['about'], first?.['attempt']], [end.event.id, 1]);
    assert.deepEqual(await listed('stranger'), [], 'another tenant sees nothing of it');
    await problemOf(await post(again, AGAIN, 'stranger'), 404, 'not-found');
    await problemOf(await post(again, AGAIN, 'siem'), 403, 'forbidden');
    await problemOf(await post(again, {}, 'lead'), 422, 'order-refused');
    for (const attempt of [2, 3]) {
      assert.equal((await post(again, AGAIN, 'lead')).status, 202);
      const [requested] = await until(() => {
        const chain = ledger.chain(acquisitionId).map(({ event }) => event);
        const done = chain.filter(({ data }) => data['attempt'] === attempt);
        return done.length === 2 ? done : undefined;
      });
      assert.equal(requested?.type, 'callback.requested.v1');
      const { requestedBy, reason, policy } = CallbackRequestedV1.shape.parse(requested?.data);
      assert.deepEqual(
        [requestedBy.id, reason, policy.decision],
        ['lead', AGAIN.reason, 'allowed'],
      );
    }
    const delivered = await until(it.said('callback.delivered.v1'));
    assert.deepEqual([delivered.data['attempt'], delivered.data['status']], [3, 204]);
    assert.equal(delivered.data['messageId'], failed.data['messageId'], 'a double is known');
    assert.equal(got.length, 3);
    assert.deepEqual(await listed(), []);
    await problemOf(await post(again, AGAIN, 'lead'), 409, 'nothing-to-decide');
  },
);

test('nobody is told again whose integration wants no callback any more', LIMIT, async (t) => {
  const { url } = await receiver(t, 410);
  const it = await opened(t, told(url), LOOPBACK);
  const { ledger, acquisitionId, integrations, post } = it;
  await ledger.record({ contract: AcquisitionSealedV1, data: SEALED, acquisitionId });
  await until(it.said('callback.failed.v1'));
  await integrations.write([told(url, { callback: undefined })]);
  const again = `/v1/acquisitions/${acquisitionId}/call-back`;
  const { detail } = await problemOf(await post(again, AGAIN, 'lead'), 409, 'nothing-to-decide');
  assert.match(detail, /told is not told of it any more: give it a callback/);
});

test('that a second person is needed is told too', LIMIT, async (t) => {
  const { got, url } = await receiver(t, 200);
  const { said } = await opened(t, told(url, { approval: 'always' }), LOOPBACK);
  await until(said('callback.delivered.v1'));
  assert.equal(
    (JSON.parse(got[0]?.body ?? '') as { type: string }).type,
    'acquisition.approval-needed',
  );
});

test('nothing is called that nobody has granted, and no redirect is followed', LIMIT, async (t) => {
  const { got, url } = await receiver(t, 302);
  const port = new URL(url).port;
  const strict = await openPost({}, Date.now);
  const posting = { id: 'm', secrets: [SECRET], body: '{}' };
  for (const place of [
    url,
    url.replace('http:', 'https:'),
    `http://localhost:${port}/`,
    `http://[::ffff:127.0.0.1]:${port}/`,
    'http://169.254.169.254/latest/meta-data/',
    'http://2130706433/',
    'http://0x7f.1/',
  ]) {
    const posted = await strict({ ...posting, url: place }, t.signal);
    assert.equal(posted.ok, false, place);
    assert.match(posted.ok ? '' : posted.because, /not one that may be called/, place);
  }
  assert.equal(got.length, 0);
  const loopback = await openPost({ networks: '127.0.0.0/8' }, Date.now);
  const redirected = await loopback({ ...posting, url }, t.signal);
  assert.deepEqual(redirected, { ok: false, because: 'it answered 302', gone: false });
  assert.equal(got.length, 1);
  const wide = await openPost({ networks: '10.0.0.0/8' }, Date.now);
  const plain = await wide({ ...posting, url: 'http://10.0.0.1/' }, t.signal);
  assert.match(plain.ok ? '' : plain.because, /take https/);
});

const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n';

test(
  'a receiver that switches protocols has given no answer, and is not waited for',
  LIMIT,
  async (t) => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined).once('data', () => socket.write(SWITCH));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/in`;
    const post = await openPost({ networks: '127.0.0.0/8' }, Date.now);
    const posted = await post({ url, id: 'm', secrets: [SECRET], body: '{}' }, t.signal);
    assert.deepEqual(posted, { ok: false, because: 'it ended without an answer', gone: false });
  },
);
