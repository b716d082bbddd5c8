// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { Integrations } from '@impound/contracts/integration.ts';
import { timeOf } from '@impound/contracts/time.ts';
import { openDoorkeeper } from './doorkeeper.ts';
import { signatureOf } from './webhook-signature.ts';

const NOW = Date.parse('2026-11-23T09:15:00Z');
const TOKEN = 'a-token-that-nobody-guesses';
const PRINT = 'a'.repeat(64);
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const USER = `U${'A'.repeat(55)}`;
const ACCOUNT = `A${'B'.repeat(55)}`;
const sha256 = createHash('sha256').update(TOKEN).digest('hex');
const token = { kind: 'token', id: 'key-1', sha256 };
const LIMITS = { requestsPerSecond: 10 };

function door(credentials: readonly object[], more: object = {}) {
  const integrations = Integrations.parse({
    version: 1,
    integrations: [
      {
        id: 'siem',
        kind: 'integration',
        tenant: 'default',
        credentials,
        clusters: ['prod-eu'],
        namespaces: ['shop'],
        limits: LIMITS,
        ...more,
      },
    ],
  });
  const file = { current: async () => integrations, fault: () => undefined };
  return openDoorkeeper(file, () => NOW);
}

const refused = { code: 'token-refused' };

test('a token is known by its SHA-256, and whoever has it may little unless it is said', async () => {
  const { caller } = await door([token]).byToken(TOKEN, 'header');
  assert.deepEqual(caller.actor, {
    id: 'siem',
    kind: 'integration',
    authn: 'bearer-token',
    credential: 'key-1',
  });
  const { approval, mayApprove, mayReadEvidence } = caller.integration;
  assert.deepEqual([approval, mayApprove, mayReadEvidence], ['always', false, false]);
});

test('nobody is known by anything else, and who comes too often has to wait', async () => {
  const keeper = door([token]);
  for (const other of ['', sha256, `${TOKEN} `, TOKEN.repeat(1_000)]) {
    await assert.rejects(keeper.byToken(other, 'header'), refused);
  }
  await assert.rejects(keeper.byToken(TOKEN, 'url'), refused, 'not made for URLs');
  for (let count = 0; count < 40; count++) await keeper.byToken(TOKEN, 'header');
  await assert.rejects(keeper.byToken(TOKEN, 'header'), { code: 'too-many' });
});

test('a token that was made for URLs is known from both places', async () => {
  const keeper = door([{ ...token, inUrl: true }]);
  assert.equal((await keeper.byToken(TOKEN, 'url')).caller.actor.authn, 'url-token');
  assert.equal((await keeper.byToken(TOKEN, 'header')).caller.actor.authn, 'bearer-token');
});

test('a credential ends with its overlap, and all of them with the integration', async () => {
  const [past, future] = [timeOf(NOW), timeOf(NOW + 1)];
  await assert.rejects(door([{ ...token, notAfter: past }]).byToken(TOKEN, 'header'), refused);
  await door([{ ...token, notAfter: future }]).byToken(TOKEN, 'header');
  await assert.rejects(door([token], { revokedAt: past }).byToken(TOKEN, 'header'), refused);
});

test('a signature is looked for among the secrets of the integration that is named', async () => {
  const keeper = door([{ kind: 'hmac', id: 'key-1', secret: SECRET }]);
  const about = { id: 'msg_1', timestamp: String(NOW / 1_000) };
  const body = new TextEncoder().encode('{}');
  const signed = { ...about, signature: signatureOf(SECRET, about, body) };
  const { caller, messageId } = await keeper.bySignature({ integration: 'siem', signed, body });
  assert.deepEqual([caller.actor.authn, messageId], ['webhook', 'msg_1']);
  for (const wrong of [
    { integration: 'other', signed, body },
    { integration: 'siem', signed, body: new TextEncoder().encode('{ }') },
    { integration: 'siem', signed: { ...signed, id: 'msg 1' }, body },
    { integration: 'siem', signed: { ...signed, timestamp: '1' }, body },
  ]) {
    await assert.rejects(keeper.bySignature(wrong), refused);
  }
});

const CERTIFICATE = {
  authorized: true,
  sha256: PRINT,
  subject: 'O=Shop,CN=siem',
  validFromMs: NOW - 1,
  validToMs: NOW + 1,
};

for (const mark of [{ sha256: PRINT }, { subject: 'O=Shop,CN=siem' }]) {
  test(`a certificate is known by ${Object.keys(mark)}, while it is good`, async () => {
    const keeper = door([{ kind: 'certificate', id: 'key-1', ...mark }]);
    assert.equal((await keeper.byCertificate(CERTIFICATE)).caller.actor.authn, 'mutual-tls');
    for (const wrong of [
      { authorized: false },
      { sha256: 'b'.repeat(64), subject: 'O=Shop,CN=other' },
      { validToMs: NOW - 1 },
      { validFromMs: NOW + 1 },
    ]) {
      await assert.rejects(keeper.byCertificate({ ...CERTIFICATE, ...wrong }), refused);
    }
  });
}

test('NATS keys are known by account, by user or by both', async () => {
  const byAccount = door([{ kind: 'nats', id: 'key-1', account: ACCOUNT }]);
  const found = await byAccount.byNats({ account: ACCOUNT, user: USER });
  assert.equal(found.caller.actor.authn, 'nats');
  await assert.rejects(byAccount.byNats({ user: USER }), refused);
  const byBoth = door([{ kind: 'nats', id: 'key-1', account: ACCOUNT, user: USER }]);
  await byBoth.byNats({ account: ACCOUNT, user: USER });
  await assert.rejects(byBoth.byNats({ account: ACCOUNT }), refused);
});
