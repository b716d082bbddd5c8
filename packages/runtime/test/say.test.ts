// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVENT_BYTES_MAX } from '@impound/contracts/envelope.ts';
import { event } from '@impound/contracts/event.ts';
import { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';
import * as z from 'zod';
import { newId } from '../src/ids.ts';
import { service } from '../src/service.ts';
import { oneLimited, testBus } from '../src/testing/bus.ts';
import { type BeforeSay, scriptedLedger } from '../src/testing/scripted-ledger.ts';
import { until } from '../src/testing/until.ts';
import { keptLog, type Line, quiet, startWith, world } from './world.ts';

const speaker = service({
  name: 'discovery',
  config: z.object({}),
  open: async () => ({}),
  says: [TargetMissingV1],
  hears: [],
  answers: [],
});

const never = new AbortController().signal;

function missing(acquisitionId: string, because = 'there is no such pod') {
  const data = { code: 'pod-not-found', because } as const;
  return { contract: TargetMissingV1, data, id: newId(), tenant: 'default', acquisitionId };
}

/** A bus without a ledger, and one who speaks. */
async function alone(t: Parameters<typeof testBus>[0]) {
  const bus = await testBus(t);
  const lines: Line[] = [];
  const { running, house } = await startWith(speaker, bus.url, keptLog(lines));
  t.after(async () => await running[Symbol.asyncDispose]());
  return { bus, lines, house };
}

test('what nobody answers is said again until the ledger is there, and recorded once', async (t) => {
  const { bus, house, lines } = await alone(t);
  const acquisitionId = newId();
  const saying = house.say(missing(acquisitionId), never);
  await until(() => lines.some(({ phrase }) => phrase === 'nobody records what is said'));
  let heard = 0;
  const ledger = await scriptedLedger(t, bus.url, ['coordinator'], async () => {
    heard += 1;
    // The first one is recorded and its answer comes too late for the one who asked.
    return undefined;
  });
  const reply = await saying;
  assert.deepEqual([reply.ok, reply.version, heard], [true, 1, 1]);
  assert.equal(ledger.chain(acquisitionId).length, 1);
});

test('an answer that was lost is given again to the one who repeats', async (t) => {
  const said: string[] = [];
  const garbled: BeforeSay = ({ id }) => {
    said.push(id);
    // No answer at all of the contract: as good as none.
    return said.length < 3 ? ({ ok: 'perhaps' } as never) : undefined;
  };
  const it = await world(t, ['coordinator'], { before: garbled });
  const { house } = await it.start(speaker);
  const acquisitionId = newId();
  const one = missing(acquisitionId);
  const [first, second] = await Promise.all([house.say(one, never), house.say(one, never)]);
  assert.equal(it.ledger.chain(acquisitionId).length, 1);
  assert.deepEqual([first.ok, second.ok], [true, true]);
  assert.deepEqual(new Set(said), new Set([one.id]));
  const repeated = await house.say(one, never);
  assert.ok(repeated.ok && repeated.repeated && !repeated.differs);
  const other = await house.say({ ...missing(acquisitionId, 'another'), id: one.id }, never);
  assert.ok(other.ok && other.repeated && other.differs);
});

test('only the signal ends what nobody answers', async (t) => {
  const { house } = await alone(t);
  const stop = new AbortController();
  const saying = house.say(missing(newId()), stop.signal);
  await quiet(300);
  const started = performance.now();
  stop.abort(new Error('enough'));
  await assert.rejects(saying, /enough/);
  // And not only when the time for an answer was over.
  assert.ok(performance.now() - started < 4_500);
  await assert.rejects(house.say(missing(newId()), AbortSignal.abort(new Error('no'))), /no/);
});

test('what is said while the bus is away is recorded soon after it is back', async (t) => {
  const it = await world(t, ['coordinator']);
  const { house } = await it.start(speaker);
  await it.bus.kill();
  await until(() => it.lines.some(({ phrase }) => phrase === 'bus away'));
  const saying = house.say(missing(newId()), never);
  await quiet(600);
  await it.bus.restart();
  const back = performance.now();
  assert.equal((await saying).ok, true);
  assert.ok(performance.now() - back < 3_000);
});

test('a refusal comes back as it is', async (t) => {
  const refused = {
    ok: false,
    refusal: 'forbidden',
    because: 'another tenant',
    version: 7,
  } as const;
  const it = await world(t, ['coordinator'], { before: () => refused });
  const { house } = await it.start(speaker);
  assert.deepEqual(await house.say(missing(newId()), never), refused);
});

test('a conflict tells where the chain is', async (t) => {
  const it = await world(t, ['coordinator']);
  const { house } = await it.start(speaker);
  const acquisitionId = newId();
  await house.say(missing(acquisitionId), never);
  const reply = await house.say({ ...missing(acquisitionId), expectedVersion: 0 }, never);
  assert.ok(!reply.ok);
  assert.deepEqual([reply.refusal, reply.version], ['conflict', 1]);
  const fits = await house.say({ ...missing(acquisitionId), expectedVersion: 1 }, never);
  assert.ok(fits.ok && fits.version === 2);
});

const Wide = event({
  type: 'target.widened.v1',
  route: () => '_',
  shape: z.object({ words: z.string() }),
  example: { words: 'x' },
});

const UNSAYABLE = [
  ['more than 48 KiB', 'x'.repeat(EVENT_BYTES_MAX), 'event-too-large'],
  ['a lone surrogate', 'a\ud800', 'unsayable'],
  ['a number where a text belongs', 7 as unknown as string, 'unsayable'],
] as const;

for (const [name, words, code] of UNSAYABLE) {
  test(`${name} is refused before anything is sent`, async (t) => {
    const heard: string[] = [];
    const it = await world(t, [], { before: ({ id }) => void heard.push(id) as undefined });
    const { house } = await it.start(speaker);
    const acquisitionId = newId();
    const saying = { ...missing(acquisitionId), contract: Wide, data: { words } };
    await assert.rejects(house.say(saying, never), { name: 'Never', code });
    const largest = { ...saying, data: { words: 'x'.repeat(EVENT_BYTES_MAX - 1_000) } };
    const reply = await house.say(largest, never);
    assert.ok(reply.ok);
    assert.equal(heard.length, 1);
  });
}

test('whoever may not say an event says so in the log and goes on trying', async (t) => {
  const { config, environment } = await oneLimited(t, 'publish: { deny: "impound.v1.say.>" }');
  const bus = await testBus(t, { config });
  const lines: Line[] = [];
  const secured = { ...speaker, config: z.object({}) };
  const { running, house } = await startWith(secured, bus.url, keptLog(lines), environment);
  t.after(async () => await running[Symbol.asyncDispose]());
  const stop = new AbortController();
  const saying = house.say(missing(newId()), stop.signal);
  const line = await until(() => lines.find(({ phrase }) => phrase.startsWith('nobody records')));
  assert.match(String(line.fields['because']), /permission/i);
  stop.abort();
  await assert.rejects(saying);
});

test('a say whose answer is wanted elsewhere than in an inbox is not taken in', async (t) => {
  const said: string[] = [];
  const it = await world(t, [], { before: ({ id }) => void said.push(id) as undefined });
  const { house } = await it.start(speaker);
  const elsewhere = 'impound.v1.event.acquisition.sealed._.default.x';
  const heard: string[] = [];
  it.connection.subscribe(elsewhere, { callback: (_, { subject }) => void heard.push(subject) });
  it.connection.publish('impound.v1.say.one.default.target.missing', '{}', { reply: elsewhere });
  await it.connection.flush();
  const reply = await house.say(missing(newId()), never);
  await it.connection.flush();
  assert.ok(reply.ok);
  assert.deepEqual([said.length, heard], [1, []]);
});
