// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { ConfigFault } from '@impound/runtime/config.ts';
import { Secret } from '@impound/runtime/secret.ts';
import { BURST_MAX } from '../domain/limits.ts';
import { bearerTokens, loadTokens } from './bearer-tokens.ts';

const TOKEN = 'a-token-that-nobody-guesses';
const ACTOR = { id: 'siem', kind: 'integration' };
const load = (list: unknown) => loadTokens({ text: new Secret(JSON.stringify(list)) });
const tokenSha256 = createHash('sha256').update(TOKEN).digest('hex');

for (const entry of [{ token: TOKEN }, { tokenSha256 }]) {
  test(`a caller is known by ${Object.keys(entry)}, and may little unless it is said`, async () => {
    const list = await load([{ ...entry, actor: ACTOR, tenant: 'default' }]);
    assert.deepEqual(bearerTokens(list, () => 0).admit(TOKEN), {
      actor: { ...ACTOR, authn: 'bearer-token' },
      tenant: 'default',
      mayApprove: false,
      approval: 'always',
    });
  });
}

test('nobody is known by anything else, and who comes too often has to wait', async () => {
  const list = await load([{ tokenSha256, actor: ACTOR, tenant: 'default' }]);
  const door = bearerTokens(list, () => 0);
  for (const token of [undefined, '', tokenSha256, `${TOKEN} `, TOKEN.repeat(1_000)]) {
    assert.throws(() => door.admit(token), { code: 'token-refused' });
  }
  for (let count = 0; count < BURST_MAX; count++) door.admit(TOKEN);
  assert.throws(() => door.admit(TOKEN), { code: 'too-many' });
});

const BAD = {
  'no list': {},
  'an empty list': [],
  'a short token': [{ token: 'secret-secret', actor: ACTOR, tenant: 'default' }],
  'a token with spaces': [
    { token: 'secret-secret and more of it', actor: ACTOR, tenant: 'default' },
  ],
  'no token': [{ actor: ACTOR, tenant: 'default' }],
  'both forms': [{ token: TOKEN, tokenSha256, actor: ACTOR, tenant: 'default' }],
  'a tenant that is none': [{ token: TOKEN, actor: ACTOR, tenant: '*' }],
  'a property too many': [{ token: TOKEN, actor: ACTOR, tenant: 'default', admin: true }],
};

for (const [name, list] of Object.entries(BAD)) {
  test(`tokens with ${name} stop the start and are not repeated`, async () => {
    await assert.rejects(load(list), (error) => {
      assert.ok(error instanceof ConfigFault);
      assert.ok(!error.message.includes('secret-secret') && !error.message.includes(TOKEN));
      return true;
    });
  });
}

test('tokens that are no JSON, or come from two places or none, stop the start', async () => {
  const text = new Secret('not json, but secret');
  await assert.rejects(loadTokens({ text }), (error) => {
    assert.ok(error instanceof ConfigFault);
    return !error.message.includes('secret');
  });
  for (const from of [{}, { text, file: '/etc/tokens' }, { file: '/nowhere/tokens' }]) {
    await assert.rejects(loadTokens(from), ConfigFault);
  }
});
