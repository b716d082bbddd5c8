// SPDX-License-Identifier: Apache-2.0
// What an operator changes while the gateway runs counts without a restart.

import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';
import { until } from '@impound/runtime/testing/until.ts';
import { authority, type OnDisk } from './authority.ts';
import { house, LIMIT, ORDER, tokenCredential } from './gateway-in-a-house.ts';

const GUEST = {
  ...{ id: 'guest', kind: 'integration', tenant: 'default', clusters: ['*'], namespaces: ['*'] },
  credentials: [tokenCredential('token-of-the-guest')],
};

/** What came of a stream of events so far, and its end. */
function streamed(body: AsyncIterable<Uint8Array> | null) {
  const it = { text: '', ended: false };
  const done = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of body ?? []) it.text += decoder.decode(chunk);
    it.ended = true;
  })();
  return { it, done };
}

test('who is revoked loses the streams that are open, and nobody else does', LIMIT, async (t) => {
  const { url, ask, begin, integrations, ledger } = await house(t, [GUEST]);
  const acquisitionId = await begin();
  const path = `/v1/acquisitions/${acquisitionId}/events`;
  const headers = { authorization: 'Bearer token-of-the-guest' };
  const [theirs, ours] = [await fetch(new URL(path, url), { headers }), await ask(path)];
  const [guest, siem] = [streamed(theirs.body), streamed(ours.body)];
  await until(() => guest.it.text.includes('id: 1') || undefined);
  await integrations.write([{ ...GUEST, revokedAt: '2020-01-01T00:00:00.000000Z' }]);
  await guest.done;
  assert.equal((await fetch(new URL(path, url), { headers })).status, 401);
  const missing = TargetMissingV1.example as TargetMissingV1;
  await ledger.record({ contract: TargetMissingV1, data: missing, acquisitionId });
  await until(() => siem.it.text.includes('id: 2') || undefined);
  assert.equal(siem.it.ended, false);
});

/** A gateway with TLS of its own, and one client with a certificate. */
async function secured(t: TestContext) {
  const ca = await authority(t);
  const server = await ca.issue('server', '/CN=gateway');
  const client = await ca.issue('client', '/O=Shop/CN=siem');
  await ca.revoke();
  const holder = {
    ...{ ...GUEST, id: 'holder', approval: 'never' },
    credentials: [{ kind: 'certificate', id: 'key-1', sha256: client.sha256 }],
  };
  const opened = await house(t, [holder], {
    GATEWAY_TLS_CERT_FILE: server.cert,
    GATEWAY_TLS_KEY_FILE: server.key,
    GATEWAY_TLS_CLIENT_CA_FILE: ca.ca,
    GATEWAY_TLS_CRL_FILE: ca.crl,
  });
  const pem = await readFile(ca.ca);
  const own = {
    agent: false as const,
    cert: await readFile(client.cert),
    key: await readFile(client.key),
    ca: pem,
  };
  const { agent: _, ...shown } = own;
  const kept = new Agent({ ...shown, keepAlive: true, maxSockets: 1 });
  t.after(() => kept.destroy());
  /** Asks over one connection for as long as it lasts; tells who answered. */
  const ask = (path: string, by: object = { agent: kept }): Promise<Answer> => {
    const asked = Promise.withResolvers<Answer>();
    const sent = request(new URL(path, opened.url), { ...by, ca: pem }, (answer) => {
      const { socket, statusCode = 0 } = answer;
      const print = (socket as import('node:tls').TLSSocket).getPeerX509Certificate();
      asked.resolve({ status: statusCode, shown: print?.fingerprint256 ?? '', answer });
    });
    sent.once('error', (error: NodeJS.ErrnoException) => {
      // It was let go in the moment in which it was taken again: every client asks anew then.
      if (sent.reusedSocket && error.code === 'ECONNRESET') asked.resolve(ask(path, by));
      else asked.reject(error);
    });
    sent.end();
    return asked.promise;
  };
  const told = (phrase: string, count: number) =>
    until(
      () => opened.lines.filter((line) => line.startsWith(phrase)).length >= count || undefined,
    );
  return { ...opened, ca, server, client, ask, own, told };
}

type Secured = Awaited<ReturnType<typeof secured>>;

interface Answer {
  readonly status: number;
  readonly shown: string;
  readonly answer: import('node:http').IncomingMessage;
}

async function drained({ answer, ...told }: Answer) {
  let body = '';
  for await (const chunk of answer) body += chunk;
  return { ...told, body };
}

async function replace(what: OnDisk, by: OnDisk): Promise<void> {
  await copyFile(by.cert, what.cert);
  await copyFile(by.key, what.key);
}

const READ = 'files read again{"what":"tls"}';
const DAMAGED = 'files damaged, the last good ones stay in force{"what":"tls"';

test('a certificate that is renewed on disk is shown to who comes next', LIMIT, async (t) => {
  const { ask, ca, server, told } = await secured(t);
  const before = await drained(await ask('/v1/acquisitions'));
  assert.equal(before.status, 200);
  await replace(server, await ca.issue('next', '/CN=gateway'));
  await told(READ, 1);
  const after = await drained(await ask('/v1/acquisitions'));
  assert.equal(after.status, 200);
  assert.notEqual(after.shown, before.shown);
});

for (const [what, pick] of [
  ['key', (of: Secured) => of.server.key],
  ['CA', (of: Secured) => of.ca.ca],
  ['list of the revoked', (of: Secured) => of.ca.crl],
] as const) {
  test(
    `a ${what} that is no good changes nothing, and probe and log tell of it`,
    LIMIT,
    async (t) => {
      const opened = await secured(t);
      const { ask, own, told } = opened;
      const shown = async () => (await drained(await ask('/v1/acquisitions', own))).shown;
      const health = async () => JSON.parse((await drained(await ask('/healthz'))).body).status;
      const before = await shown();
      const file = pick(opened);
      const good = await readFile(file);
      await writeFile(file, 'no PEM');
      await told(DAMAGED, 1);
      assert.equal(await health(), 'tls-damaged');
      assert.equal((await drained(await ask('/v1/acquisitions'))).status, 200);
      assert.equal(await shown(), before);
      await writeFile(file, good);
      await told(READ, 1);
      assert.equal(await health(), 'ok');
    },
  );
}

test('who is on a new list of the revoked loses stream and connection', LIMIT, async (t) => {
  const { ask, own, ca, client, told, url } = await secured(t);
  const order = Buffer.from(JSON.stringify(ORDER));
  const posted = Promise.withResolvers<string>();
  const json = { 'content-type': 'application/json', 'content-length': order.length };
  const sent = request(new URL('/v1/acquisitions', url), { ...own, method: 'POST', headers: json });
  sent.once('response', async (answer) => {
    const told = await drained({ status: answer.statusCode ?? 0, shown: '', answer });
    posted.resolve(JSON.parse(told.body).acquisitionId);
  });
  sent.once('error', posted.reject).end(order);
  const path = `/v1/acquisitions/${await posted.promise}/events`;
  const stream = streamed((await ask(path, own)).answer);
  assert.equal((await drained(await ask('/v1/acquisitions'))).status, 200);
  await ca.revoke(client);
  await told(READ, 1);
  await stream.done;
  assert.equal((await drained(await ask('/v1/acquisitions'))).status, 401);
});

const FORBID = '@id("never") @because("not today") forbid (principal, action, resource);';

test(
  'policies that change count for the next order; what is none changes nothing',
  LIMIT,
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'impound-policies-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const { post, ask, lines } = await house(t, [], { POLICY_DIR: folder });
    const status = async () => (await post('/v1/acquisitions', ORDER)).status;
    const health = async () =>
      ((await (await ask('/healthz')).json()) as { status: string }).status;
    const told = (phrase: string, count: number) =>
      until(() => lines.filter((line) => line.startsWith(phrase)).length >= count || undefined);
    assert.equal(await status(), 202);
    const file = join(folder, 'today.cedar');
    await writeFile(file, FORBID);
    await told('files read again{"what":"policies"}', 1);
    assert.equal(await status(), 403);
    await writeFile(file, 'forbid everything please');
    await told('files damaged, the last good ones stay in force{"what":"policies"', 1);
    assert.deepEqual([await status(), await health()], [403, 'policies-damaged']);
    await rm(file);
    await told('files read again{"what":"policies"}', 2);
    assert.deepEqual([await status(), await health()], [202, 'ok']);
  },
);
