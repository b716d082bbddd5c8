// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { busKeys, seedFile } from '../src/bus-keys.ts';
import { freePort } from '../src/embedded/ports.ts';
import { nkeyUsers, testBus, testFolder } from '../src/testing/bus.ts';
import { until } from '../src/testing/until.ts';

const MAIN = new URL('./house-of-one.ts', import.meta.url).pathname;
const GOOD = { STORE_DIR: '/nowhere', SIGNING_KEY: 'correct-horse-battery' };

interface Process {
  readonly child: ChildProcess;
  /** What it has written to stderr. */
  text(): string;
  /** Waits for a phrase in its log and gives that line. */
  said(phrase: string): Promise<Readonly<Record<string, unknown>>>;
  exit(): Promise<number | null>;
}

function startProcess(t: TestContext, environment: Readonly<Record<string, string>>): Process {
  const env = { PATH: process.env['PATH'], ...environment };
  const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  t.after(() => void child.kill('SIGKILL'));
  const ended = once(child, 'close');
  let text = '';
  child.stderr?.on('data', (bytes) => {
    text += String(bytes);
  });
  const line = (phrase: string) => text.split('\n').find((one) => one.includes(`"${phrase}"`));
  return {
    child,
    text: () => text,
    said: async (phrase) => JSON.parse(await until(() => line(phrase), `${phrase} in ${text}`)),
    exit: async () => {
      await ended;
      return child.exitCode;
    },
  };
}

async function probe(port: unknown, path: string): Promise<readonly [number, string]> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return [response.status, await response.text()];
}

suite('run', { concurrency: 3 }, () => {
  test('a process without its configuration ends with 78 and names all that is wrong', async (t) => {
    const wrong = { LOG_LEVEL: 'hunter2', STALL_MS: 'hunter2', NATS_URL: 'nats://u:hunter2@bus' };
    const one = startProcess(t, wrong);
    assert.equal(await one.exit(), 78);
    for (const name of ['STORE_DIR is missing', 'SIGNING_KEY is missing', ...Object.keys(wrong)]) {
      assert.match(one.text(), new RegExp(name));
    }
    assert.doesNotMatch(one.text(), /hunter2/);
  });

  test('a secret may lie in a file that the environment only names', async (t) => {
    const file = join(await testFolder(t), 'key');
    await writeFile(file, 'correct-horse-battery\n', { mode: 0o600 });
    const bus = await testBus(t);
    const { STORE_DIR } = GOOD;
    const one = startProcess(t, { STORE_DIR, SIGNING_KEY_FILE: file, NATS_URL: bus.url });
    await one.said('service ready');
    one.child.kill('SIGTERM');
    assert.equal(await one.exit(), 0);
    assert.equal((await one.said('closed what was opened'))['length'], GOOD.SIGNING_KEY.length);
    assert.doesNotMatch(one.text(), /correct-horse/);
  });

  test('a process practises when it is ready, and lives on where that fails', async (t) => {
    const bus = await testBus(t);
    const one = startProcess(t, { ...GOOD, NATS_URL: bus.url });
    const { healthPort } = await one.said('service ready');
    const { because } = await one.said('practice ended');
    assert.equal(because, 'there is nothing to practise on');
    assert.deepEqual(await probe(healthPort, '/readyz'), [200, 'ok\n']);
    one.child.kill('SIGTERM');
    assert.equal(await one.exit(), 0);
  });

  test('a file that does not say a key, or says it twice, is named, and ends it with 78', async (t) => {
    const wrong = [
      { SIGNING_KEY_FILE: '/nowhere/hunter2', because: /SIGNING_KEY_FILE .* ENOENT/ },
      { SIGNING_KEY_FILE: '/', because: /SIGNING_KEY_FILE .* no file/ },
      { ...GOOD, SIGNING_KEY_FILE: '/nowhere', because: /SIGNING_KEY and .* are both given/ },
    ];
    for (const { because, ...environment } of wrong) {
      const one = startProcess(t, {
        STORE_DIR: '/nowhere',
        NATS_URL: 'nats://bus',
        ...environment,
      });
      assert.equal(await one.exit(), 78);
      assert.match(one.text(), because);
      assert.doesNotMatch(one.text(), /hunter2|correct-horse/);
    }
  });

  test('a process answers its probes, stops on SIGTERM in order and ends with 0', async (t) => {
    const bus = await testBus(t);
    const one = startProcess(t, { ...GOOD, NATS_URL: bus.url });
    const { healthPort } = await one.said('service ready');
    assert.deepEqual(await probe(healthPort, '/healthz'), [200, 'ok\n']);
    assert.deepEqual(await probe(healthPort, '/readyz'), [200, 'ok\n']);
    assert.deepEqual(await probe(healthPort, '/constructor'), [404, 'not found\n']);
    one.child.kill('SIGTERM');
    assert.equal(await one.exit(), 0);
    assert.equal((await one.said('closed what was opened'))['key'], '[secret]');
    assert.doesNotMatch(one.text(), /correct-horse/);
  });

  test('a process whose open fails says why, closes what it had and ends with 1', async (t) => {
    const bus = await testBus(t);
    const one = startProcess(t, { ...GOOD, NATS_URL: bus.url, OPENING: 'fails' });
    assert.equal(await one.exit(), 1);
    assert.match(one.text(), /"code":"store-missing","because":"the store is not there: make it"/);
    assert.match(one.text(), /closed what was opened/);
  });

  test('a bus that is away at the start is waited for: alive and not ready', async (t) => {
    const [busPort, port] = [await freePort(), await freePort()];
    const environment = { ...GOOD, NATS_URL: `nats://127.0.0.1:${busPort}` };
    const one = startProcess(t, { ...environment, HEALTH_PORT: String(port) });
    await one.said('waiting for the bus');
    assert.deepEqual(await probe(port, '/healthz'), [200, 'ok\n']);
    assert.deepEqual(await probe(port, '/readyz'), [503, 'not ready\n']);
    await testBus(t, { port: busPort });
    await one.said('service ready');
    assert.deepEqual(await probe(port, '/readyz'), [200, 'ok\n']);
  });

  test('SIGTERM ends a process that still waits for its bus', async (t) => {
    const url = `nats://127.0.0.1:${await freePort()}`;
    const one = startProcess(t, { ...GOOD, NATS_URL: url });
    await one.said('waiting for the bus');
    one.child.kill('SIGTERM');
    assert.equal(await one.exit(), 0);
  });

  test('SIGTERM ends a process whose open does not return', async (t) => {
    const bus = await testBus(t);
    const one = startProcess(t, { ...GOOD, NATS_URL: bus.url, OPENING: 'hangs' });
    await one.said('opening');
    one.child.kill('SIGTERM');
    assert.equal(await one.exit(), 0);
  });

  test('SIGTERM ends a process whose bus has gone', async (t) => {
    const bus = await testBus(t);
    const one = startProcess(t, { ...GOOD, NATS_URL: bus.url });
    await one.said('service ready');
    await bus.kill();
    await one.said('bus away');
    const started = performance.now();
    one.child.kill('SIGTERM');
    assert.equal(await one.exit(), 0);
    // What hangs is waited for a quarter of a minute.
    assert.ok(performance.now() - started < 14_000);
  });

  test('a process whose key the bus refuses ends, at the start and later', async (t) => {
    const folder = await testFolder(t);
    const keys = await busKeys(folder);
    const users = (...known: string[]) => ({ config: nkeyUsers(keys, known) });
    const bus = await testBus(t, users('gateway'));
    const own = { ...GOOD, NATS_URL: bus.url };
    const stranger = startProcess(t, { ...own, NATS_NKEY_FILE: seedFile(folder, 'ledger') });
    assert.equal(await stranger.exit(), 1);
    assert.match(stranger.text(), /[Aa]uthorization/);
    const one = startProcess(t, { ...own, NATS_NKEY_FILE: seedFile(folder, 'gateway') });
    await one.said('service ready');
    await bus.kill();
    await testBus(t, { ...users('ledger'), port: bus.port });
    assert.equal(await one.exit(), 1);
    assert.match(one.text(), /[Aa]uthorization.*service stopped/);
    assert.doesNotMatch(`${stranger.text()}${one.text()}`, /SU[A-Z2-7]{20}/);
  });

  test('a rotated seed is shown to the bus with the next connection', async (t) => {
    const [folder, next] = [await testFolder(t), await testFolder(t)];
    const bus = await testBus(t, { config: nkeyUsers(await busKeys(folder), ['gateway']) });
    const file = seedFile(folder, 'gateway');
    const one = startProcess(t, { ...GOOD, NATS_URL: bus.url, NATS_NKEY_FILE: file });
    await one.said('service ready');
    const keys = await busKeys(next);
    await copyFile(seedFile(next, 'gateway'), file);
    await bus.kill();
    await testBus(t, { config: nkeyUsers(keys, ['gateway']), port: bus.port });
    await one.said('bus back');
    one.child.kill('SIGTERM');
    assert.equal(await one.exit(), 0);
  });

  test('a process that lacks a right on the bus ends and says which', async (t) => {
    const folder = await testFolder(t);
    const keys = await busKeys(folder);
    const bus = await testBus(t, {
      config: nkeyUsers(keys, ['gateway'], 'subscribe: { deny: "$SRV.>" }'),
    });
    const own = { ...GOOD, NATS_URL: bus.url, NATS_NKEY_FILE: seedFile(folder, 'gateway') };
    const one = startProcess(t, own);
    assert.equal(await one.exit(), 1);
    assert.match(one.text(), /the bus forbids subscription \$SRV\.PING.*own seed/);
  });

  for (const [what, text, because] of [
    ['is not there', undefined, /NATS_NKEY_FILE names what cannot be read: ENOENT/],
    ['holds something else', 'hunter2', /holds no user seed/],
  ] as const) {
    test(`a seed file that ${what} ends the process with 78`, async (t) => {
      const file = join(await testFolder(t), 'one.nk');
      if (text !== undefined) await writeFile(file, text);
      const url = 'nats://127.0.0.1:4222';
      const one = startProcess(t, { ...GOOD, NATS_URL: url, NATS_NKEY_FILE: file });
      assert.equal(await one.exit(), 78);
      assert.match(one.text(), because);
      assert.doesNotMatch(one.text(), /hunter2/);
    });
  }
});
