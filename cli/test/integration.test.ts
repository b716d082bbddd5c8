// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Integration, Integrations } from '@impound/contracts/integration.ts';
import { isUserKey } from '@impound/runtime/bus-keys.ts';
import { clean, impound } from './command-line.ts';

const SCOPE = ['--allow-cluster', 'prod-eu', '--allow-namespace', 'shop'];

/** The command with a file of its own, and what the gateway would read of it. */
async function desk(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'impound-integrations-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'integrations.json');
  const run = (...args: string[]) =>
    impound(['integration', ...args, '--integrations', file, '--json']);
  const read = async () => Integrations.parse(JSON.parse(await readFile(file, 'utf8')));
  const one = async (id: string): Promise<Integration> => {
    const found = (await read()).integrations.find((integration) => integration.id === id);
    assert.ok(found);
    return found;
  };
  const add = async (...args: string[]) => {
    const ended = await run('add', ...args, ...SCOPE);
    assert.equal(ended.code, 0, ended.err);
    clean(ended);
    return ended.values[0] as { secret: string; callbackSecret: string; credential: string };
  };
  return { folder, file, run, read, one, add };
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

test('a token is shown once, and only its hash is kept in a file that nobody else reads', async (t) => {
  const { add, one, file, run, folder } = await desk(t);
  const { secret } = await add('siem', '--about', 'the one in the basement', '--no-approval');
  const siem = await one('siem');
  const token = { kind: 'token', id: 'key-1', sha256: sha256(secret), inUrl: false };
  assert.deepEqual(siem.credentials, [token]);
  assert.deepEqual([siem.clusters, siem.namespaces], [['prod-eu'], ['shop']]);
  assert.deepEqual([siem.approval, siem.mayApprove, siem.mayReadEvidence], ['never', false, false]);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  for (const args of [['list'], ['show', 'siem']]) {
    const shown = await run(...args);
    assert.equal(shown.code, 0, shown.err);
    clean(shown, secret);
  }
  assert.deepEqual(await readdir(folder), ['integrations.json'], 'no lock and no draft is left');
});

test('a rotation keeps the old credential for an overlap, and says until when', async (t) => {
  const { add, one, run, read } = await desk(t);
  const first = await add('siem');
  const before = Date.now();
  const rotated = await run('rotate', 'siem', '--overlap', '600');
  assert.equal(rotated.code, 0, rotated.err);
  const { secret, credential } = rotated.values[0] as { secret: string; credential: string };
  assert.equal(credential, 'key-2');
  const [old, now] = (await one('siem')).credentials;
  assert.ok(old?.kind === 'token' && now?.kind === 'token');
  assert.deepEqual([old.sha256, now.sha256], [sha256(first.secret), sha256(secret)]);
  const left = Date.parse(old.notAfter ?? '') - before;
  assert.ok(left >= 600_000 && left < 660_000, `${left} ms`);
  assert.equal(now.notAfter, undefined);
  const again = await run('rotate', 'siem', '--overlap', '0');
  assert.equal(again.code, 0, again.err);
  const ids = (await one('siem')).credentials.map(({ id }) => id);
  assert.deepEqual(ids, ['key-1', 'key-2', 'key-3']);
  const { changes } = await read();
  assert.deepEqual(
    changes.map(({ what, credential: which }) => [what, which]),
    [
      ['added', 'key-1'],
      ['rotated', 'key-2'],
      ['rotated', 'key-3'],
    ],
  );
  assert.ok(changes.every(({ by }) => by.length > 0));
});

test('what is revoked has no credential any more, and its name stays taken', async (t) => {
  const { add, one, run } = await desk(t);
  await add('siem');
  await run('rotate', 'siem');
  assert.equal((await run('revoke', 'siem', '--credential', 'key-1')).code, 0);
  assert.deepEqual(
    (await one('siem')).credentials.map(({ id }) => id),
    ['key-2'],
  );
  assert.equal((await run('revoke', 'siem')).code, 0);
  const revoked = await one('siem');
  assert.deepEqual(revoked.credentials, []);
  assert.ok(revoked.revokedAt);
  const again = await run('add', 'siem', ...SCOPE);
  assert.equal(again.code, 2);
  assert.match(again.err, /was revoked, and stays taken/);
  assert.equal((await run('rotate', 'siem')).code, 0);
  assert.equal((await one('siem')).revokedAt, undefined, 'a new credential lets it in again');
});

test('webhooks, certificates and NATS keys are credentials too', async (t) => {
  const { add, one, folder, run } = await desk(t);
  const hook = await add('hook', '--auth', 'webhook', '--callback', 'https://siem.example/in');
  assert.match(hook.secret, /^whsec_/);
  const { credentials, callback } = await one('hook');
  assert.equal(credentials[0]?.kind === 'hmac' && credentials[0].secret, hook.secret);
  assert.deepEqual(callback?.secrets, [hook.callbackSecret]);
  const rotated = await run('rotate', 'hook', '--credential', 'callback');
  const next = (rotated.values[0] as { callbackSecret: string }).callbackSecret;
  assert.deepEqual((await one('hook')).callback?.secrets, [next, hook.callbackSecret]);
  const shown = await run('show', 'hook');
  clean(shown, hook.secret, hook.callbackSecret, next);
  await add('in-url', '--auth', 'url-token');
  const [inUrl] = (await one('in-url')).credentials;
  assert.ok(inUrl?.kind === 'token' && inUrl.inUrl);
  const user = `U${'A'.repeat(55)}`;
  await add('bus', '--auth', 'nats', '--nats-user', user);
  assert.deepEqual((await one('bus')).credentials, [{ kind: 'nats', id: 'key-1', user }]);
  const made = await add('bus-2', '--auth', 'nats');
  const [own] = (await one('bus-2')).credentials;
  assert.ok(own?.kind === 'nats' && isUserKey(own.user ?? ''));
  assert.match(JSON.stringify(made), /SU[A-Z2-7]{56}/);
  await add('named', '--auth', 'certificate', '--subject', 'O=Shop,CN=siem');
  const pem = join(folder, 'cert.pem');
  await writeFile(pem, 'no certificate');
  const bad = await run('add', 'bad', '--auth', 'certificate', '--certificate', pem, ...SCOPE);
  assert.equal(bad.code, 2);
  assert.match(bad.err, /no certificate in PEM/);
});

const WRONG: readonly (readonly [readonly string[], RegExp])[] = [
  [['add', 'Siem!', ...SCOPE], /an id is 1 to 63/],
  [['add', 'siem'], /--allow-cluster is needed/],
  [['add', 'siem', '--allow-cluster', 'prod'], /--allow-namespace is needed/],
  [['add', 'siem', ...SCOPE, '--allow-cluster', 'prod-*'], /--allow-cluster prod-\*: no such/],
  [['add', 'siem', ...SCOPE, '--allow-namespace', 'shop-*'], /--allow-namespace shop-\*: no such/],
  [['add', 'siem', ...SCOPE, '--allow-namespace', 'sh\u043ep'], /--allow-namespace sh.+: no such/],
  [['add', 'siem', ...SCOPE, '--auth', 'magic'], /one of token, url-token/],
  [['add', 'siem', ...SCOPE, '--open-max', '-1'], /open-max/],
  [['add', 'siem', ...SCOPE, '--callback', 'ftp://siem.example'], /callback\.url/],
  [['add'], /integration add\|show/],
  [['rotate', 'nobody'], /there is no integration nobody/],
  [['revoke', 'nobody'], /there is no integration nobody/],
  [['explode', 'siem'], /integration add\|show/],
  [['list', 'siem'], /integration add\|show/],
];

test('what is wrong is said in a sentence, and changes nothing', async (t) => {
  const { run, file } = await desk(t);
  for (const [args, words] of WRONG) {
    const ended = await run(...args);
    assert.equal(ended.code, 2, args.join(' '));
    assert.match(ended.err, words);
    clean(ended);
  }
  await assert.rejects(stat(file), { code: 'ENOENT' });
});

test('a file that others read, or that is damaged, is not touched', async (t) => {
  const { run, file, add } = await desk(t);
  await add('siem');
  await chmod(file, 0o644);
  const open = await run('rotate', 'siem');
  assert.equal(open.code, 1);
  assert.match(open.err, /chmod 600/);
  await writeFile(file, '{"version":1,"integrations":[{"secret');
  await chmod(file, 0o600);
  const damaged = await run('add', 'other', ...SCOPE);
  assert.equal(damaged.code, 1);
  assert.match(damaged.err, /damaged/);
  assert.equal(await readFile(file, 'utf8'), '{"version":1,"integrations":[{"secret');
});
