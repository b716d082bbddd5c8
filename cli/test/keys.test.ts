// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { BUS_IDENTITIES } from '@impound/contracts/bus-rights.ts';
import { clean, impound } from './command-line.ts';

const NEWER = process.env['NATS_SERVER_NEWER'];
const HOW = 'NATS_SERVER_NEWER names no newer nats-server; tools/servers.sh fetches one';
const newer = NEWER === undefined ? { skip: HOW } : {};
const SCOPE = ['--allow-cluster', '*', '--allow-namespace', '*'];

async function desk(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'impound-keys-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const run = async (...args: string[]) => {
    const ended = await impound(['keys', folder, ...args, '--json']);
    clean(ended);
    return ended;
  };
  const conf = (name: string) => join(folder, 'nats', name);
  const users = async () => await readFile(conf('users.conf'), 'utf8');
  return { folder, run, conf, users };
}

/** Whether a server takes a configuration; rejects with its words. */
const taken = async (server: string, file: string) =>
  await promisify(execFile)(server, ['--config', file, '-t']);

test('each identity gets a seed that nobody else reads, the server public keys only', async (t) => {
  const { folder, run, conf, users } = await desk(t);
  assert.equal((await run()).code, 0);
  const seeds = new Map<string, string>();
  for (const identity of [...BUS_IDENTITIES, 'system']) {
    const file = join(folder, `${identity}.nk`);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    seeds.set(identity, await readFile(file, 'utf8'));
    assert.match(seeds.get(identity) ?? '', /^SU[A-Z2-7]{56}\n$/);
  }
  assert.equal(new Set(seeds.values()).size, BUS_IDENTITIES.length + 1);
  const files = await readdir(join(folder, 'nats'));
  for (const name of files)
    assert.doesNotMatch(await readFile(conf(name), 'utf8'), /SU[A-Z2-7]{56}/);
  const before = await users();
  assert.equal((await run()).code, 0);
  assert.equal(await users(), before, 'a second run keeps the keys');
});

test('nats-server takes the configuration as it was made', async (t) => {
  const { run, conf } = await desk(t);
  await run();
  await taken(process.env['NATS_SERVER'] ?? 'nats-server', conf('nats-server-2.9.conf'));
});

test('so does a newer one, with its acknowledgements on the disk', newer, async (t) => {
  const { run, conf } = await desk(t);
  await run();
  await taken(NEWER ?? '', conf('nats-server.conf'));
  assert.match(await readFile(conf('nats-server.conf'), 'utf8'), /sync_interval: always/);
});

test('while a key is rotated both count, and one rotation ends before the next', async (t) => {
  const { run, users } = await desk(t);
  await run();
  const keysOf = async () =>
    (await users()).match(/U[A-Z2-7]{55}(?=, permissions: \$MAY_UPLOADER)/g);
  const [first] = (await keysOf()) ?? [];
  await run('--rotate', 'uploader');
  const both = (await keysOf()) ?? [];
  assert.equal(both.length, 2);
  assert.equal(both[1], first);
  const again = await run('--rotate', 'uploader');
  assert.equal(again.code, 1);
  assert.match(again.err, /--finish/);
  await run('--finish');
  assert.deepEqual(await keysOf(), [both[0]]);
  const unknown = await run('--rotate', 'nobody');
  assert.equal(unknown.code, 2);
  assert.match(unknown.err, /one of gateway, ledger/);
});

test('integrations that come over NATS get accounts, and one damaged key harms no other', async (t) => {
  const { folder, run, conf } = await desk(t);
  const file = join(folder, 'integrations.json');
  const wrong = ['--nats-user', `U${'A'.repeat(55)}`];
  for (const args of [['siem'], ['soar', '--tenant', 'other'], ['bad', ...wrong]]) {
    const to = ['--auth', 'nats', '--integrations', file, '--json'];
    const added = await impound(['integration', 'add', ...args, ...SCOPE, ...to]);
    assert.equal(added.code, 0, added.err);
  }
  await run('--integrations', file);
  const accounts = await readFile(conf('integrations.conf'), 'utf8');
  assert.match(accounts, /"INTEGRATION-siem"[\s\S]*gateway\.submit\.default\.siem/);
  assert.match(accounts, /"INTEGRATION-soar"[\s\S]*gateway\.submit\.other\.soar/);
  assert.match(accounts, /# bad: UA+ is no user NKey/);
  await taken(process.env['NATS_SERVER'] ?? 'nats-server', conf('nats-server-2.9.conf'));
});

test('a damaged seed is named and never shown', async (t) => {
  const { folder, run } = await desk(t);
  await run();
  const file = join(folder, 'ledger.nk');
  for (const text of ['hunter2', `SU${'A'.repeat(56)}`]) {
    await writeFile(file, text);
    const ended = await run();
    assert.equal(ended.code, 1);
    assert.match(ended.err, /ledger\.nk holds/);
    assert.doesNotMatch(ended.err, /hunter2|AAAAAA/);
  }
});
