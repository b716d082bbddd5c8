// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { AcquisitionSealedV1 } from '@impound/contracts/acquisition/sealed.v1.ts';
import { timeOf } from '@impound/contracts/time.ts';
import { newId } from '@impound/runtime/ids.ts';
import { openLog } from '@impound/runtime/log.ts';
import { start } from '@impound/runtime/start.ts';
import { testBus } from '@impound/runtime/testing/bus.ts';
import { type ScriptedLedger, scriptedLedger } from '@impound/runtime/testing/scripted-ledger.ts';
import { wait } from '@impound/runtime/wait.ts';
import { coordinator } from '../src/service.ts';
import {
  captured,
  checked,
  type Fact,
  HOUR_MS,
  kept,
  requested,
  resolved,
  started,
  stored,
} from './story.ts';

const WAIT_MS_MAX = 60_000;
const LADDER = checked(['exec-stream', 'allowed']);
const wish = (pod: string, deadlineMs = Date.now() + HOUR_MS) =>
  requested({
    target: { kind: 'kubernetes', cluster: 'prod-eu', namespace: 'shop', pod },
    deadline: timeOf(deadlineMs),
  });

/** A real bus, a ledger in memory, and so many coordinators, which close before the bus does. */
async function house(t: TestContext, hearing: boolean, coordinators: number) {
  const { url } = await testBus(t);
  const ledger = await scriptedLedger(t, url, hearing ? ['coordinator'] : []);
  const scope = new AsyncDisposableStack();
  const open = async () => {
    scope.use(await start(coordinator, { NATS_URL: url }, openLog('coordinator', 'silent')));
  };
  for (let count = 0; count < coordinators; count++) await open();
  return { ledger, open, [Symbol.asyncDispose]: () => scope.disposeAsync() };
}

async function tell(ledger: ScriptedLedger, acquisitionId: string, ...facts: readonly Fact[]) {
  for (const { contract, data } of facts) await ledger.record({ contract, data, acquisitionId });
}

/** Waits until a chain has this event; gives its data. */
async function until(ledger: ScriptedLedger, id: string, type: string, signal: AbortSignal) {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(WAIT_MS_MAX)]);
  while (!limit.aborted) {
    const found = ledger.chain(id).find(({ event }) => event.type === type);
    if (found) return found.event.data;
    await wait(20, limit);
  }
  const types = ledger.chain(id).map(({ event }) => event.type);
  throw new Error(`no ${type} came after ${types.join(', ')}`);
}

test('a request goes down the ladder to its seal', async (t) => {
  await using inside = await house(t, true, 1);
  const { ledger } = inside;
  const id = newId();
  await tell(ledger, id, wish('cart'), resolved(), LADDER);
  const assigned = await until(ledger, id, 'acquisition.assigned.v1', t.signal);
  assert.deepEqual([assigned['epoch'], assigned['method']], [1, 'exec-stream']);
  await tell(ledger, id, started(1), captured(1), stored(1), kept());
  const data = await until(ledger, id, 'acquisition.sealed.v1', t.signal);
  const seal = data as unknown as AcquisitionSealedV1;
  assert.equal(seal.entries, 8);
  assert.equal(seal.lastEntry, ledger.chain(id)[8]?.acqPrev);
});

test('time alone ends a request that nobody answers', async (t) => {
  await using inside = await house(t, true, 1);
  const { ledger } = inside;
  const id = newId();
  await tell(ledger, id, wish('cart', Date.now() + 700));
  const { because } = await until(ledger, id, 'acquisition.expired.v1', t.signal);
  assert.match(String(because), /discovery had not answered/);
});

test('two coordinators at once say each thing once; a storm becomes one', async (t) => {
  await using inside = await house(t, true, 2);
  const { ledger } = inside;
  const ids = Array.from({ length: 12 }, () => newId());
  await Promise.all(ids.map((id) => tell(ledger, id, wish('cart'))));
  const [oldest = '', ...young] = ids;
  for (const id of young) await until(ledger, id, 'acquisition.joined.v1', t.signal);
  await tell(ledger, oldest, resolved(), LADDER);
  await until(ledger, oldest, 'acquisition.assigned.v1', t.signal);
  await tell(ledger, oldest, started(1), captured(1), stored(1), kept());
  await until(ledger, oldest, 'acquisition.sealed.v1', t.signal);
  for (const id of ids) {
    const types = ledger.chain(id).map(({ event }) => event.type);
    assert.equal(new Set(types).size, types.length, types.join(', '));
  }
});

test('a coordinator that starts late hears nothing and still picks up what is open', async (t) => {
  await using inside = await house(t, false, 0);
  const { ledger, open } = inside;
  const ids = ['cart', 'web', 'db'].map((pod) => [newId(), pod] as const);
  for (const [id, pod] of ids) await tell(ledger, id, wish(pod), resolved(), LADDER);
  await open();
  for (const [id] of ids) await until(ledger, id, 'acquisition.assigned.v1', t.signal);
});
