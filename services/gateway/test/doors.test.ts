// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import {
  house,
  LIMIT,
  ORDER,
  problemOf,
  requester,
  TOKEN,
  tokenCredential,
} from './gateway-in-a-house.ts';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const NEXT = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;
const IN_URL = 'imp_token-that-stands-in-a-url-0000000000';
const SENDER = {
  id: 'hooks',
  kind: 'integration',
  tenant: 'default',
  credentials: [
    { kind: 'hmac', id: 'key-1', secret: SECRET },
    { kind: 'hmac', id: 'key-2', secret: NEXT },
    tokenCredential(IN_URL, { id: 'key-3', inUrl: true }),
  ],
  clusters: ['*'],
  namespaces: ['*'],
  approval: 'never',
};

/** Signs as a foreign sender does: by the library of the scheme. */
function signed(body: string, of: { id?: string; secrets?: readonly string[]; at?: Date } = {}) {
  const { id = 'msg_1', secrets = [SECRET], at = new Date() } = of;
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
    'webhook-signature': secrets.map((one) => new Webhook(one).sign(id, at, body)).join(' '),
  };
}

const BODY = JSON.stringify(ORDER);

async function hooks(t: Parameters<typeof house>[0]) {
  const opened = await house(t, [SENDER]);
  const send = (path: string, headers: Record<string, string>, body = BODY) =>
    fetch(new URL(path, opened.url), { method: 'POST', headers, body });
  return { ...opened, send };
}

test(
  'a signed webhook is an order; the integration stands in a header or in the path',
  LIMIT,
  async (t) => {
    const { send, ledger } = await hooks(t);
    const named = { ...signed(BODY), 'impound-integration': 'hooks' };
    const answer = await send('/v1/acquisitions', named);
    assert.equal(answer.status, 202, await answer.clone().text());
    const { acquisitionId } = (await answer.json()) as { acquisitionId: string };
    assert.deepEqual(requester(ledger.chain(acquisitionId)), {
      id: 'hooks',
      kind: 'integration',
      authn: 'webhook',
      credential: 'key-1',
    });
    const rotated = signed(BODY, { id: 'msg_2', secrets: [`whsec_${'A'.repeat(44)}`, NEXT] });
    assert.equal((await send('/i/hooks/v1/acquisitions', rotated)).status, 202);
  },
);

test(
  'a webhook that is replayed is the same acquisition, whatever header is put beside it',
  LIMIT,
  async (t) => {
    const { send, ledger } = await hooks(t);
    const once = signed(BODY);
    const ids = new Set<string>();
    for (const more of [{}, {}, { 'idempotency-key': 'another' }]) {
      const answer = await send('/i/hooks/v1/acquisitions', { ...once, ...more });
      assert.equal(answer.status, 202);
      ids.add(((await answer.json()) as { acquisitionId: string }).acquisitionId);
    }
    const [acquisitionId = '', ...others] = ids;
    assert.deepEqual(others, []);
    assert.equal(ledger.chain(acquisitionId).length, 1);
  },
);

test('a webhook that is not signed, not timely or not for orders is refused', LIMIT, async (t) => {
  const { send, ledger, ask } = await hooks(t);
  const path = '/i/hooks/v1/acquisitions';
  const good = signed(BODY);
  const old = signed(BODY, { at: new Date(Date.now() - 301_000) });
  const refused = [
    await send(path, good, BODY.replace('shell', 'sh311')),
    await send(path, { ...good, 'webhook-id': 'msg_9' }),
    await send(path, signed(BODY, { secrets: [`whsec_${'A'.repeat(44)}`] })),
    await send(path, old),
    await send('/i/siem/v1/acquisitions', good),
    await send('/v1/acquisitions', good),
    await send(path, { ...good, authorization: `Bearer ${TOKEN.siem}` }),
  ];
  for (const answer of refused) await problemOf(answer, 401, 'token-refused');
  const { acquisitionId } = (await (await send(path, good)).json()) as { acquisitionId: string };
  const reason = JSON.stringify({ reason: 'replayed elsewhere' });
  const cancel = `/i/hooks/v1/acquisitions/${acquisitionId}/cancel`;
  await problemOf(await send(cancel, signed(reason, { id: 'm2' }), reason), 403, 'forbidden');
  assert.equal(ledger.chain(acquisitionId).length, 1);
  const { acquisitions } = (await (await ask('/v1/acquisitions')).json()) as { acquisitions: [] };
  assert.equal(acquisitions.length, 1);
});

test('a token in the path gives orders, and is told nowhere', LIMIT, async (t) => {
  const { send, ask, lines, url, ledger } = await hooks(t);
  const type = { 'content-type': 'application/json' };
  const answer = await send(`/t/${IN_URL}/v1/acquisitions`, type);
  assert.equal(answer.status, 202);
  const { acquisitionId } = (await answer.json()) as { acquisitionId: string };
  assert.equal(answer.headers.get('location'), `/v1/acquisitions/${acquisitionId}`);
  assert.deepEqual(requester(ledger.chain(acquisitionId)), {
    id: 'hooks',
    kind: 'integration',
    authn: 'url-token',
    credential: 'key-3',
  });
  const texts: string[] = [];
  for (const [path, status] of [
    [`/t/${IN_URL}/v1/acquisitions/${acquisitionId}`, 403],
    [`/t/${IN_URL}/v1/nothing`, 404],
    [`/t/${IN_URL}/elsewhere`, 404],
    [`/t/${TOKEN.siem}/v1/acquisitions`, 401],
    [`/t/${IN_URL}%00/v1/acquisitions`, 401],
    [`/T/${IN_URL}/v1/acquisitions`, 403],
    [`http://gateway.example/t/${IN_URL}/v1/acquisitions`, 403],
  ] as const) {
    const [got] = await once(request(url, { path }).end(), 'response');
    assert.equal(got.statusCode, status, path);
    texts.push(await textOf(got));
  }
  const bad = await send(`/t/${IN_URL}/v1/acquisitions`, type, '{');
  texts.push(await bad.text());
  assert.equal((await ask(`/v1/acquisitions/${acquisitionId}`)).status, 200);
  const everything = [...texts, ...lines, JSON.stringify(ledger.chain(acquisitionId))].join();
  assert.ok(!everything.includes(IN_URL.slice(0, 20)), 'the token is told');
});
