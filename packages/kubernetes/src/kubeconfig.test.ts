// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type KubeconfigChoice, readKubeconfig } from './kubeconfig.ts';

interface Parts {
  readonly cluster?: object;
  readonly user?: object;
  readonly rest?: object;
}

function file({ cluster = {}, user = { token: 't' }, rest = {} }: Parts = {}) {
  return {
    'current-context': 'one',
    clusters: [{ name: 'c', cluster: { server: 'https://api.test:6443/', ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [
      { name: 'one', context: { cluster: 'c', user: 'u' } },
      { name: 'bare', context: { cluster: 'c' } },
      { name: 'lost', context: { cluster: 'nowhere', user: 'u' } },
    ],
    ...rest,
  };
}

test('a kubeconfig gives the cluster and the user of its current context', () => {
  const profile = readKubeconfig(file(), {});
  assert.deepEqual(profile, {
    cluster: { name: 'c', server: 'https://api.test:6443', skipTLSVerify: false },
    user: { name: 'u', token: 't' },
    warnings: [],
  });
});

test('a context without user is anonymous, and relative paths start at the file', () => {
  assert.deepEqual(readKubeconfig(file(), { context: 'bare' }).user, { name: 'anonymous' });
  const cluster = { 'certificate-authority': 'ca.crt' };
  const profile = readKubeconfig(file({ cluster }), { directory: '/etc/impound' });
  assert.equal(profile.cluster.caFile, '/etc/impound/ca.crt');
});

test('a credential plugin that is allowed gets an absolute path and the exec info', () => {
  const exec = { command: './bin/login', apiVersion: 'client.authentication.k8s.io/v1beta1' };
  const choice = { directory: '/etc/impound', allowExecPlugins: true };
  const { user } = readKubeconfig(file({ user: { exec } }), choice);
  const plugin = user.exec as { command: string; env: { name: string; value: string }[] };
  assert.equal(plugin.command, '/etc/impound/bin/login');
  assert.match(plugin.env[0]?.value ?? '', /v1beta1/);
});

const REFUSED: readonly (readonly [string, unknown, KubeconfigChoice, RegExp])[] = [
  ['nothing', null, {}, /the kubeconfig is not as/],
  ['text', 'apiVersion: v1', {}, /the kubeconfig is not as/],
  ['no context', file({ rest: { 'current-context': null } }), {}, /it has: one, bare, lost/],
  ['an unknown context', file(), { context: 'x\u001b[2J' }, /no context named "x \[2J"/],
  ['a context of an unknown cluster', file(), { context: 'lost' }, /no cluster named "nowhere"/],
  ['an unknown user', file({ rest: { users: null } }), {}, /no user named "u"; the file has none/],
  ['a server that is no address', file({ cluster: { server: 'api' } }), {}, /server must be/],
  ['a file address', file({ cluster: { server: 'file:///etc' } }), {}, /server must be/],
  [
    'a password in the server',
    file({ cluster: { server: 'https://a:b@x' } }),
    {},
    /server must be/,
  ],
  ['plain http', file({ cluster: { server: 'http://x' } }), {}, /plain http/],
  ['a proxy of another kind', file({ cluster: { 'proxy-url': 'ftp://x' } }), {}, /proxy-url must/],
  [
    'a file named in text',
    file({ user: { tokenFile: '/run/token' } }),
    {},
    /tokenFile names a file/,
  ],
  ['a client key named in text', file({ user: { 'client-key': 'k' } }), {}, /client-key names/],
  [
    'groups to impersonate',
    file({ user: { as: 'x', 'as-groups': ['y'] } }),
    {},
    /as-groups is not/,
  ],
  ['a token that is no text', file({ user: { token: ['secret'] } }), {}, /at token/],
  ['a plugin', file({ user: { exec: { command: 'aws' } } }), {}, /runs "aws"/],
  ['a provider', file({ user: { 'auth-provider': { name: 'gcp' } } }), {}, /names auth-provider/],
];

for (const [what, document, choice, message] of REFUSED) {
  test(`a kubeconfig with ${what} is refused and says why`, () => {
    assert.throws(
      () => readKubeconfig(document, choice),
      (error: Error) => {
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /secret/);
        return true;
      },
    );
  });
}
