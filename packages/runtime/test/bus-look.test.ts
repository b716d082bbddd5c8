// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '@impound/contracts/bus-rights.ts';
import { busKeys, seedFile } from '../src/bus-keys.ts';
import { clockBetween, lookAtBus } from '../src/bus-look.ts';
import { natsConfig, permissionsConfig, usersConfig } from '../src/nats-config.ts';
import { testBus, testFolder } from '../src/testing/bus.ts';
import { scriptedLedger } from '../src/testing/scripted-ledger.ts';

test('a bus without identities lets anybody in, and shows that it does', async (t) => {
  const bus = await testBus(t);
  await scriptedLedger(t, bus.url, ['coordinator']);
  const facts = await lookAtBus({ url: bus.url }, t.signal);
  assert.equal(facts.open, true);
  assert.equal(facts.wide, true);
  assert.equal(facts.version, bus.version);
  assert.ok('unseen' in facts.server);
  assert.ok('consumers' in facts.stream);
  assert.ok(facts.stream.consumers.every(({ waiting }) => waiting === 0));
});

test('a bus as it is deployed lets the operator look, tell the time, and nothing else', async (t) => {
  const folder = await testFolder(t);
  const users = `${permissionsConfig()}\n${usersConfig(await busKeys(folder))}`;
  const bus = await testBus(t, { config: natsConfig({ head: '', users, integrations: '' }) });
  const own = { url: bus.url, nkeyFile: seedFile(folder, OPERATOR) };
  const facts = await lookAtBus(own, t.signal);
  assert.equal(facts.open, false);
  assert.equal(facts.wide, false);
  assert.ok('clock' in facts.server, JSON.stringify(facts.server));
  assert.ok(Math.abs(facts.server.clock?.offsetMs ?? Infinity) < 60_000);
  assert.ok('unseen' in facts.stream, 'nobody has laid a stream');
  await assert.rejects(lookAtBus({ url: bus.url }, t.signal), /[Aa]uthorization/);
});

test('a bus that is not there is not waited for', async (t) => {
  const bus = await testBus(t);
  await bus.kill();
  await assert.rejects(lookAtBus({ url: bus.url }, t.signal), /refused|connection/i);
});

test('a clock is compared with the middle of the question and its answer', () => {
  const clock = clockBetween({ askedAt: 1_000, answeredAt: 1_200, theirs: 6_100 });
  assert.deepEqual(clock, { offsetMs: 5_000, withinMs: 100 });
});
