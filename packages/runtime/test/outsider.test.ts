// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { GatewaySubmitV1 } from '@impound/contracts/ask/gateway.submit.v1.ts';
import { Integration } from '@impound/contracts/integration.ts';
import { headers, type NatsConnection, nkeys } from '@nats-io/transport-node';
import * as z from 'zod';
import { accountName } from '../src/nats-integrations.ts';
import { type Outsider, signRequest } from '../src/outsider.ts';
import { answer, service } from '../src/service.ts';
import { until } from '../src/testing/until.ts';
import { enterBus, securedBus } from './secured-bus.ts';
import { keptLog, startWith } from './world.ts';

const NEWER = process.env['NATS_SERVER_NEWER'];
const HOW = 'NATS_SERVER_NEWER names no newer nats-server; tools/servers.sh fetches one';
const newer = NEWER === undefined ? { skip: HOW } : {};
const ID = '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01';
const REQUEST = { order: GatewaySubmitV1.example.request.order };
const BODY = Buffer.from(JSON.stringify(REQUEST));

function integration(id: string, tenant: string) {
  const pair = nkeys.createUser();
  const user = pair.getPublicKey();
  const of = Integration.parse({
    ...{ id, tenant, kind: 'integration', clusters: ['*'], namespaces: ['*'] },
    credentials: [{ kind: 'nats', id: 'key-1', user }],
  });
  return { of, user, seed: pair.getSeed() };
}

/** A bus with two integrations of two tenants, and a gateway that keeps who has asked it. */
async function stage(t: TestContext, binary?: string) {
  const [siem, soar] = [integration('siem', 'acme'), integration('soar', 'other')];
  const secured = await securedBus(t, {
    integrations: [siem.of, soar.of],
    ...(binary && { binary }),
  });
  const asked: Outsider[] = [];
  const gateway = service({
    name: 'gateway',
    config: z.object({}),
    open: async () => ({}),
    says: [],
    hears: [],
    answers: [
      answer(GatewaySubmitV1, async (_request, _deps: unknown, _signal, by) => {
        asked.push(by);
        return {};
      }),
    ],
  });
  const more = { NATS_NKEY_FILE: secured.seedFile('gateway') };
  const { running } = await startWith(gateway, secured.bus.url, keptLog([]), more);
  t.after(() => running[Symbol.asyncDispose]());
  const enter = (of: { seed: Uint8Array }) => enterBus(t, secured.bus.url, of.seed);
  return { secured, siem, soar, asked, enter };
}

async function acquire(connection: NatsConnection, carried: Readonly<Record<string, string>> = {}) {
  const sent = headers();
  for (const [name, value] of Object.entries(carried)) sent.append(name, value);
  return await connection.request('acquire', BODY, { timeout: 30_000, headers: sent });
}

suite('integrations in accounts of their own', () => {
  test('the server writes tenant and integration, and an old one is not believed more', async (t) => {
    const { siem, soar, asked, enter } = await stage(t);
    await acquire(await enter(siem), { 'Nats-Request-Info': `{"acc":"x","user":"${soar.user}"}` });
    await acquire(await enter(soar));
    assert.deepEqual(asked, [
      { tenant: 'acme', integration: 'siem', account: undefined, user: undefined },
      { tenant: 'other', integration: 'soar', account: undefined, user: undefined },
    ]);
  });

  test(
    'a newer server tells by which key it was asked, and nobody can write that',
    newer,
    async (t) => {
      const { siem, soar, asked, enter } = await stage(t, NEWER);
      const forged = `{"acc":"${accountName('soar')}","user":"${soar.user}"}`;
      const connection = await enter(siem);
      await acquire(connection);
      await acquire(connection, { 'Nats-Request-Info': forged });
      await acquire(connection, { 'nats-request-info': forged });
      const known = { account: accountName('siem'), user: siem.user };
      const proven = asked.map(({ account, user }) => ({ account, user }));
      assert.deepEqual(proven.slice(0, 2), [known, known]);
      // Two spellings: who it was is left to another proof.
      assert.deepEqual(proven[2], { account: undefined, user: undefined });
    },
  );

  test('a signature proves who asks on any server, for this request and not for long', async (t) => {
    const { siem, asked, enter } = await stage(t);
    const connection = await enter(siem);
    const to = { tenant: 'acme', integration: 'siem', body: BODY };
    const good = signRequest(siem.seed, to, Date.now());
    await acquire(connection, good);
    for (const wrong of [
      signRequest(siem.seed, to, Date.now() - 3_600_000),
      signRequest(siem.seed, { ...to, integration: 'soar' }, Date.now()),
      signRequest(siem.seed, { ...to, body: Buffer.from('{}') }, Date.now()),
      { ...good, 'Impound-Key': nkeys.createUser().getPublicKey() },
      { ...good, 'Impound-Key': 'nonsense' },
      { ...good, 'Impound-Signature': 'AAAA' },
    ]) {
      await acquire(connection, wrong);
    }
    assert.deepEqual(
      asked.map(({ user }) => user),
      [siem.user, ...Array.from({ length: 6 }, () => undefined)],
    );
  });

  test('an integration hears how acquisitions of its own tenant end, and nothing else', async (t) => {
    const { secured, siem, enter } = await stage(t);
    const [ledger, connection] = [await secured.enter('ledger'), await enter(siem)];
    const heard: string[] = [];
    connection.subscribe('ended.>', { callback: (_, { subject }) => void heard.push(subject) });
    await connection.flush();
    for (const what of ['acquisition.sealed', 'acquisition.requested', 'target.resolved']) {
      for (const tenant of ['acme', 'other']) {
        ledger.publish(`impound.v1.event.${what}._.${tenant}.${ID}`, '{}');
      }
    }
    ledger.publish(`impound.v1.event.acquisition.failed._.acme.${ID}`, '{}');
    await ledger.flush();
    await until(() => heard.length >= 2);
    assert.deepEqual(heard, [`ended.acquisition.sealed.${ID}`, `ended.acquisition.failed.${ID}`]);
  });

  test('a configuration that the server refuses changes nothing and is reported', async (t) => {
    const { secured, siem, enter } = await stage(t);
    await assert.rejects(secured.bus.reload('no_such_field: 1'), /no_such_field/);
    await acquire(await enter(siem));
  });

  const reloading = async (t: TestContext, binary?: string) => {
    const { secured, siem, asked, enter } = await stage(t, binary);
    const before = await enter(siem);
    const late = integration('late', 'acme');
    await assert.rejects(enter(late), /authorization/i);
    await secured.reload([siem.of, late.of]);
    const connection = await enter(late);
    await acquire(connection);
    await acquire(before);
    const heard: string[] = [];
    connection.subscribe('ended.>', { callback: (_, { subject }) => void heard.push(subject) });
    await connection.flush();
    (await secured.enter('ledger')).publish(`impound.v1.event.acquisition.sealed._.acme.${ID}`);
    await until(() => heard.length > 0);
    await secured.reload([siem.of]);
    await assert.rejects(enter(late), /authorization/i);
    assert.deepEqual(
      asked.map(({ integration: id }) => id),
      ['late', 'siem'],
    );
  };

  test('a reload lets an integration in, the next one out; others go on', (t) => reloading(t));
  test('so it does on a newer server', newer, (t) => reloading(t, NEWER));
});
