// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { DiscoveryListV1 } from '@impound/contracts/ask/discovery.list.v1.ts';
import type { ReplyOf, RequestOf } from '@impound/contracts/question.ts';
import * as z from 'zod';
import { askUntilAnswered } from '../src/ask.ts';
import { Later, Never } from '../src/fault.ts';
import { answer, service } from '../src/service.ts';
import { oneLimited } from '../src/testing/bus.ts';
import { until } from '../src/testing/until.ts';
import { quiet, world } from './world.ts';

type Asked = RequestOf<typeof DiscoveryListV1>;
type Answer = (asked: Asked, signal: AbortSignal) => Promise<unknown>;

const SUBJECT = 'impound.v1.ask.discovery.list';
const asked = DiscoveryListV1.request.parse(DiscoveryListV1.example.request);
const reply = DiscoveryListV1.reply.parse(DiscoveryListV1.example.reply);
const never = new AbortController().signal;

function answerer(give: Answer) {
  type Reply = ReplyOf<typeof DiscoveryListV1>;
  return service({
    name: 'discovery',
    config: z.object({}),
    open: async () => ({}),
    says: [],
    hears: [],
    answers: [
      answer(
        DiscoveryListV1,
        async (one, _deps: unknown, signal) => (await give(one, signal)) as Reply,
      ),
    ],
  });
}

const asker = { ...answerer(async () => reply), name: 'gateway', answers: [] };

/** One who asks and one who answers. */
async function both(t: TestContext, give: Answer) {
  const it = await world(t, []);
  const running = await it.start(answerer(give));
  const { house } = await it.start(asker);
  const ask = (request: Asked = asked, signal = never) =>
    house.ask(DiscoveryListV1, request, signal);
  /** What a stranger gets who sends these bytes. */
  const raw = async (subject: string, body: string | Uint8Array) => {
    const { data, headers } = await it.connection.request(subject, body, { timeout: 30_000 });
    return {
      text: Buffer.from(data).toString('utf8'),
      code: headers?.get('Nats-Service-Error-Code'),
      error: headers?.get('Nats-Service-Error') ?? '',
    };
  };
  return { ...it, running, house, ask, raw };
}

suite('ask', { concurrency: 4 }, () => {
  test('a question is answered', async (t) => {
    const it = await both(t, async ({ namespace }) => {
      assert.equal(namespace, 'shop');
      return reply;
    });
    assert.deepEqual(await it.ask(), reply);
  });

  test('a question that one process has swallowed is answered by another', async (t) => {
    let reached = 0;
    const it = await both(t, async () => {
      reached += 1;
      // As of one that was stopped in the middle: no answer ever.
      return reached === 1 ? await new Promise(() => undefined) : reply;
    });
    assert.deepEqual(await it.ask(), reply);
    assert.equal(reached, 2);
  });

  test('what is no question gets 400 and reaches no service', async (t) => {
    let reached = 0;
    const it = await both(t, async () => {
      reached += 1;
      return reply;
    });
    const hostile = ['', '{', 'null', '[]', '{"tenant":"..","limit":1}', '[['.repeat(9_000)];
    for (const body of [...hostile, Buffer.from([0xff, 0xfe])]) {
      const refused = await it.raw(SUBJECT, body);
      assert.deepEqual([refused.code, refused.text], ['400', '']);
      assert.match(refused.error, /^invalid: .{5}/);
      assert.ok(refused.error.length < 3_000);
    }
    assert.equal(reached, 0);
    await assert.rejects(it.ask({ ...asked, limit: 0 }), { name: 'Never', code: 'invalid' });
  });

  test('a question that is too large is refused where it is asked, and where it is heard', async (t) => {
    const it = await both(t, async () => reply);
    const namespace = 'x'.repeat(300_000);
    await assert.rejects(it.ask({ ...asked, namespace }), {
      name: 'Never',
      code: 'question-too-large',
    });
    const refused = await it.raw(SUBJECT, JSON.stringify({ ...asked, namespace }));
    assert.equal(refused.code, '400');
    assert.match(refused.error, /at most 262144 bytes/);
  });

  const FAULTS = [
    ['Never is Never', new Never('no-such-cluster', 'no: b\r\nad'), 'Never', 'no-such-cluster'],
    ['Later is Later', new Later('cluster-away', 100, 'later'), 'Later', 'cluster-away'],
    ['a bug is Later', new Error('boom: at x'), 'Later', 'bug'],
    ['a code that is none is none', new Never('A B', 'odd'), 'Never', 'refused'],
  ] as const;
  for (const [name, fault, kind, code] of FAULTS) {
    test(`${name} at the one who asks`, async (t) => {
      const it = await both(t, async () => {
        throw fault;
      });
      await assert.rejects(it.ask(), { name: kind, code });
      const { error } = await it.raw(SUBJECT, JSON.stringify(asked));
      assert.match(error, /^[\x20-\x7e]+$/);
    });
  }

  const ODD = [
    ['an answer that does not fit its contract', { items: 'none' }, 'no-such-answer'],
    ['no answer at all', null, 'no-such-answer'],
    ['an answer larger than a message', { gaps: ['x'.repeat(2_000_000)] }, 'answer-too-large'],
  ] as const;
  for (const [name, given, code] of ODD) {
    test(`${name} is given up`, async (t) => {
      const it = await both(t, async () => given);
      await assert.rejects(it.ask(), { name: 'Never', code });
    });
  }

  test('where nobody answers it may work later', async (t) => {
    const it = await world(t, []);
    const { house } = await it.start(asker);
    const started = performance.now();
    const asking = house.ask(DiscoveryListV1, asked, never);
    await assert.rejects(asking, { name: 'Later', code: 'no-answer' });
    // And not only when the time for an answer was over.
    assert.ok(performance.now() - started < 9_000);
    const patient = askUntilAnswered(house, { question: DiscoveryListV1, request: asked }, never);
    await quiet(300);
    await it.start(answerer(async () => reply));
    assert.deepEqual(await patient, reply);
  });

  test('who asks does not wait longer than its signal', async (t) => {
    const it = await both(t, async () => await new Promise(() => undefined));
    const stop = new AbortController();
    const asking = it.ask(asked, stop.signal);
    await quiet(100);
    const started = performance.now();
    stop.abort(new Error('enough'));
    await assert.rejects(asking, /enough/);
    assert.ok(performance.now() - started < 9_000);
  });

  test('who may not ask is told so, for trying again does not help', async (t) => {
    const mute = await oneLimited(t, 'publish: { deny: "impound.v1.ask.>" }');
    const it = await world(t, [], mute);
    await it.start(answerer(async () => reply));
    const { house } = await it.start(asker, mute.environment);
    const asking = house.ask(DiscoveryListV1, asked, never);
    await assert.rejects(asking, { name: 'Never', code: 'forbidden' });
  });

  test('a service that may not hear its questions says so and does not start', async (t) => {
    const deaf = await oneLimited(t, 'subscribe: { deny: "impound.v1.ask.>" }');
    const it = await world(t, [], deaf);
    const starting = it.start(
      answerer(async () => reply),
      deaf.environment,
    );
    await assert.rejects(starting, { code: 'forbidden', message: new RegExp(SUBJECT) });
    const line = await until(() => it.lines.find(({ phrase }) => phrase === 'question not heard'));
    assert.match(String(line.fields['because']), /permission/i);
  });

  test('an answer goes to an inbox, whatever place who asks has named', async (t) => {
    let given = 0;
    const it = await both(t, async () => {
      given += 1;
      return reply;
    });
    const elsewhere = 'impound.v1.event.acquisition.sealed._.default.x';
    const heard: string[] = [];
    it.connection.subscribe(elsewhere, { callback: (_, { subject }) => void heard.push(subject) });
    it.connection.publish(SUBJECT, JSON.stringify(asked), { reply: elsewhere });
    assert.deepEqual(await it.ask(), reply);
    await it.connection.flush();
    assert.deepEqual([given, heard], [1, []]);
  });

  test('questions and answers survive a restart of the bus', async (t) => {
    const it = await both(t, async () => reply);
    assert.deepEqual(await it.ask(), reply);
    await it.bus.kill();
    await until(() => it.lines.some(({ phrase }) => phrase === 'bus away'));
    const patient = { question: DiscoveryListV1, request: asked };
    const [lost, kept] = [it.ask(), askUntilAnswered(it.house, patient, never)];
    const given = assert.rejects(lost, { name: 'Later', code: 'no-answer' });
    await quiet(500);
    await it.bus.restart();
    const back = performance.now();
    await given;
    assert.deepEqual(await kept, reply);
    assert.deepEqual(await it.ask(), reply);
    // And not only when the time for an answer was over.
    assert.ok(performance.now() - back < 8_000);
  });

  test('a service describes itself to the NATS services protocol', async (t) => {
    const it = await both(t, async ({ limit }) => {
      if (limit === 2) throw new Never('no-such-cluster', 'no');
      return reply;
    });
    await it.ask();
    await it.ask();
    await assert.rejects(it.ask({ ...asked, limit: 2 }));
    const about = { name: 'discovery', id: it.running.worker, version: '0.1.0', metadata: {} };
    for (const suffix of ['discovery', `discovery.${it.running.worker}`]) {
      const ping = JSON.parse((await it.raw(`$SRV.PING.${suffix}`, '')).text);
      assert.deepEqual(ping, { type: 'io.nats.micro.v1.ping_response', ...about });
    }
    const anybody = JSON.parse((await it.raw('$SRV.PING', '')).text);
    assert.ok(['discovery', 'gateway', 'ledger'].includes(anybody.name));
    const endpoint = {
      name: 'discovery-list-v1',
      subject: SUBJECT,
      queue_group: 'discovery',
      metadata: {},
    };
    const info = JSON.parse((await it.raw('$SRV.INFO.discovery', '')).text);
    assert.deepEqual(info.endpoints, [endpoint]);
    const stats = JSON.parse((await it.raw('$SRV.STATS.discovery', '')).text);
    const [{ processing_time: took, average_processing_time: average, ...counted }] =
      stats.endpoints;
    assert.deepEqual(counted, {
      ...endpoint,
      num_requests: 3,
      num_errors: 1,
      last_error: '422:no-such-cluster',
    });
    assert.ok(took > 0 && average === Math.round(took / 3));
    assert.ok(Date.parse(stats.started) <= Date.now());
  });
});
