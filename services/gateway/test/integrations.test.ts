// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { chmod, rm, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { ConfigFault } from '@impound/runtime/config.ts';
import { openIntegrations } from '../src/adapters/integrations-file.ts';
import {
  house,
  integrationsFile,
  LIMIT,
  problemOf,
  tokenCredential,
} from './gateway-in-a-house.ts';

const NEW = 'token-of-somebody-new';
const newcomer = (more: object = {}) => ({
  id: 'newcomer',
  kind: 'integration',
  tenant: 'default',
  credentials: [tokenCredential(NEW)],
  clusters: ['*'],
  namespaces: ['*'],
  ...more,
});

test('who is added, rotated or revoked is so with the very next request', LIMIT, async (t) => {
  const { url, integrations, lines } = await house(t);
  const status = async (token: string) => {
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch(new URL('/v1/acquisitions', url), { headers })).status;
  };
  assert.equal(await status(NEW), 401);
  await integrations.write([newcomer()]);
  assert.equal(await status(NEW), 200);
  const rotated = [tokenCredential(NEW), tokenCredential('token-that-follows', { id: 'key-2' })];
  await integrations.write([newcomer({ credentials: rotated })]);
  assert.deepEqual([await status(NEW), await status('token-that-follows')], [200, 200]);
  await integrations.write([newcomer({ credentials: rotated.slice(1) })]);
  assert.deepEqual([await status(NEW), await status('token-that-follows')], [401, 200]);
  await integrations.write([newcomer({ revokedAt: '2026-11-23T09:15:00.000000Z' })]);
  assert.equal(await status(NEW), 401);
  const told = lines.filter((line) => line.startsWith('integrations read again'));
  assert.match(told[0] ?? '', /"added":\["newcomer"\]/);
  assert.match(told[1] ?? '', /"differing":\["newcomer"\]/);
  assert.ok(!lines.join().includes('token-'));
});

const DAMAGE = {
  'no JSON': '{"version":1,"integrations":[{"secret-of',
  'another shape': '{"version":1,"integrations":[{"id":"SECRET-OF"}]}',
  'nothing in it': '',
};

for (const [what, text] of Object.entries(DAMAGE)) {
  test(`a file with ${what} leaves the last good one in force, loudly`, LIMIT, async (t) => {
    const { url, ask, integrations, lines } = await house(t);
    await writeFile(integrations.file, text);
    assert.equal((await ask('/v1/acquisitions')).status, 200);
    assert.equal((await ask('/v1/acquisitions')).status, 200);
    const health = async () => await (await fetch(new URL('/healthz', url))).json();
    assert.deepEqual(await health(), { status: 'integrations-damaged' });
    const loud = lines.filter((line) => line.startsWith('integrations damaged'));
    assert.equal(loud.length, 1, 'once, not with every request');
    assert.ok(!/secret-of/i.test(loud.join()));
    await integrations.write([newcomer()]);
    assert.deepEqual(await health(), { status: 'ok' });
  });
}

test('what is written within a tick of the clock that stamps files is in force, too', async (t) => {
  const { file, write } = await integrationsFile(t);
  const told: string[] = [];
  const log = { info: (phrase: string) => void told.push(phrase), error: () => undefined };
  await write([newcomer({ id: 'this-one' })]);
  const about = statSync(file, { bigint: true });
  t.mock.timers.enable({ apis: ['Date'], now: Number(about.ctimeNs / 1_000_000n) });
  const opened = await openIntegrations(file, log, () => about);
  const first = await opened.current();
  assert.equal(await opened.current(), first);
  await write([newcomer({ id: 'that-one' })]);
  const { integrations } = await opened.current();
  assert.deepEqual(
    integrations.filter(({ id }) => id.endsWith('-one')).map(({ id }) => id),
    ['that-one'],
  );
  assert.deepEqual(told, ['integrations read again']);
});

test('a file that others may read, or that is gone, is damaged too', LIMIT, async (t) => {
  const { url, ask, integrations } = await house(t);
  const health = async () => await (await fetch(new URL('/healthz', url))).json();
  await chmod(integrations.file, 0o644);
  assert.equal((await ask('/v1/acquisitions')).status, 200);
  assert.deepEqual(await health(), { status: 'integrations-damaged' });
  await chmod(integrations.file, 0o600);
  assert.deepEqual(await health(), { status: 'ok' });
  await rm(integrations.file);
  assert.equal((await ask('/v1/acquisitions')).status, 200);
  assert.deepEqual(await health(), { status: 'integrations-damaged' });
});

test('a gateway does not start without a good file, and repeats nothing of it', async (t) => {
  const { file } = await integrationsFile(t);
  const log = { info: () => undefined, error: () => undefined };
  for (const text of Object.values(DAMAGE)) {
    await writeFile(file, text);
    await assert.rejects(openIntegrations(file, log), (error) => {
      assert.ok(error instanceof ConfigFault);
      return !/secret-of/i.test(error.message);
    });
  }
  await chmod(file, 0o640);
  await assert.rejects(openIntegrations(file, log), /chmod 600/);
  await assert.rejects(openIntegrations(`${file}.none`, log), /ENOENT/);
});

test('each integration has its own rate', LIMIT, async (t) => {
  const { url, ask } = await house(t, [newcomer({ limits: { requestsPerSecond: 1 } })]);
  const headers = { authorization: `Bearer ${NEW}` };
  const answers = await Promise.all(
    Array.from({ length: 12 }, () => fetch(new URL('/v1/acquisitions', url), { headers })),
  );
  const busy = answers.find(({ status }) => status === 429);
  assert.ok(busy, 'twelve at once are more than one a second');
  assert.equal(busy.headers.get('retry-after'), '1');
  await problemOf(busy, 429, 'too-many');
  assert.equal((await ask('/v1/acquisitions')).status, 200);
});
