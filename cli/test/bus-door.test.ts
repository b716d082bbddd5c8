// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { glob, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { GatewaySubmitV1 } from '@impound/contracts/ask/gateway.submit.v1.ts';
import { signRequest } from '@impound/runtime/outsider.ts';
import { connect, headers, type Msg, nkeyAuthenticator } from '@nats-io/transport-node';
import { openClient } from '../src/client.ts';
import { startPlatform } from '../src/platform.ts';
import { impound } from './command-line.ts';

const LIMIT = { timeout: 180_000 };
const LOOK_MS = 200;
const ORDER = {
  target: 'kubernetes://prod-eu/shop/cart/main',
  caseId: 'IR-2026-017',
  reason: 'Falco: a shell was started in a web server',
};

/** A platform that runs, with its records but without whoever touches targets. */
async function platform(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'impound-bus-door-'));
  const only = ['ledger', 'gateway'];
  const natsBinary = process.env['NATS_SERVER'];
  const dataDir = join(folder, 'data');
  const it = await startPlatform({ dataDir, natsBinary, only }, t.signal);
  t.after(async () => {
    await it[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });
  const scope = ['--allow-cluster', '*', '--allow-namespace', '*', '--no-approval'];
  const integration = async (...args: string[]) => {
    const ended = await impound(['integration', ...args, '--data', dataDir, '--json']);
    assert.equal(ended.code, 0, ended.err);
    return String(ended.values[0]?.['secret']);
  };
  const add = (id: string) => integration('add', id, '--auth', 'nats', ...scope);
  return { it, add, integration, client: openClient(it, t.signal) };
}

/** Comes in once the running server knows the key. */
async function enter(t: TestContext, servers: string, seed: string) {
  for (;;) {
    const authenticator = nkeyAuthenticator(Buffer.from(seed));
    const connection = await connect({ servers, authenticator, reconnect: false }).catch(
      () => null,
    );
    if (connection !== null) {
      t.after(() => connection.close());
      return connection;
    }
    await delay(LOOK_MS, undefined, { signal: t.signal });
  }
}

/**
 * What a new account imports works only a moment after the account does, and what was asked while
 * the server takes up another configuration may stay without an answer: so it is asked again.
 */
async function patiently(t: TestContext, ask: () => Promise<Msg>): Promise<Msg> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!/no responders|timeout/.test(String(error))) throw error;
      await delay(LOOK_MS, undefined, { signal: t.signal });
    }
  }
}

test(
  'an integration added to a running platform asks over NATS, and is named on the chain',
  LIMIT,
  async (t) => {
    const { it, add, integration, client } = await platform(t);
    const [seed, other] = [await add('siem'), await add('soar')];
    const connection = await enter(t, it.natsUrl, seed);
    const submit = async (
      signer: string,
      body: object = { order: ORDER, idempotencyKey: 'alert-1' },
    ) => {
      const bytes = Buffer.from(JSON.stringify(body));
      const to = { tenant: 'default', integration: 'siem', body: bytes };
      const carried = headers();
      for (const [name, value] of Object.entries(
        signRequest(Buffer.from(signer), to, Date.now()),
      )) {
        carried.append(name, value);
      }
      const answer = await patiently(t, () =>
        connection.request('acquire', bytes, { timeout: 3_000, headers: carried }),
      );
      return GatewaySubmitV1.reply.parse(answer.json());
    };
    const first = await submit(seed);
    assert.ok(first.acquisitionId, JSON.stringify(first));
    assert.deepEqual(await submit(seed), first);
    const entries = await (
      await client.stream(`/v1/acquisitions/${first.acquisitionId}/chain`)
    ).text();
    const requested = JSON.parse(entries.split('\n')[0] ?? '');
    const { requestedBy: actor } = requested.event.data;
    assert.deepEqual([actor.id, actor.kind, actor.authn], ['siem', 'integration', 'nats']);
    assert.equal((await submit(other)).problem?.status, 403);
    await integration('revoke', 'siem');
    // Who is revoked is let in until the file is read again.
    const again = () => submit(seed).catch(() => undefined);
    let late = await again();
    for (; late?.acquisitionId !== undefined; late = await again()) {
      await delay(LOOK_MS, undefined, { signal: t.signal });
    }
    assert.equal(late?.problem?.status ?? 401, 401);
  },
);

test('a server that ends by itself is started again where it was', LIMIT, async (t) => {
  const { it, add } = await platform(t);
  const seed = await add('siem');
  const before = await enter(t, it.natsUrl, seed);
  const [ports = ''] = await Array.fromAsync(glob('nats/*.ports', { cwd: it.dataDir }));
  const pid = Number(/_(\d+)\.ports$/.exec(ports)?.[1]);
  // As a message with a wildcard as its reply subject does to those before 2.9.15.
  process.kill(pid, 'SIGKILL');
  await before.closed();
  const after = await enter(t, it.natsUrl, seed);
  const ask = () => after.request('acquire', '{}', { timeout: 3_000 });
  assert.ok(await patiently(t, ask), 'the gateway is back on it');
  assert.match(await readFile(join(it.dataDir, 'impound.log'), 'utf8'), /bus ended: /);
});
