// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { ContextCapturedV1 } from '@impound/contracts/context/captured.v1.ts';
import { eventSubject } from '@impound/contracts/event.ts';
import { ACK_WAIT_MS, STREAM } from '@impound/contracts/streams.ts';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import * as z from 'zod';
import { newId } from '../src/ids.ts';
import { say } from '../src/say.ts';
import { on, service } from '../src/service.ts';
import { newStatementKey } from '../src/statement.ts';
import { until } from '../src/testing/until.ts';
import { wait } from '../src/wait.ts';
import { answerTo, hearer, missing, ofDiscovery, request, settled, TYPE } from './hearer.ts';
import type { World } from './world.ts';

/** As many as one process handles at once. */
const SLOTS = 8;
const STOPS = 12;
/** Several times as long as a hearer waits until it looks for the stream again. */
const BUSY_MS = 1_500;

/** A hearer whose slots were all at work when the bus forgot everything, until it may go on. */
async function busyWithoutBus(t: TestContext): Promise<{ it: World; go: () => void }> {
  const it = await ofDiscovery(t);
  const free = Promise.withResolvers<undefined>();
  let begun = 0;
  await it.start(
    hearer(async () => {
      begun += 1;
      return begun > SLOTS ? missing('heard') : await free.promise;
    }),
  );
  for (let slot = 0; slot < SLOTS; slot++) await request(it);
  await until(() => begun === SLOTS);
  await it.lose();
  return { it, go: () => free.resolve(undefined) };
}

suite('hear again', { concurrency: 4 }, () => {
  test('what is told again and was answered is not handled again', async (t) => {
    const it = await ofDiscovery(t);
    const handled: string[] = [];
    await it.start(
      hearer(async ({ acquisitionId }) => {
        handled.push(acquisitionId);
        return handled.length === 2 ? undefined : missing('once');
      }),
    );
    const answered = await request(it);
    await answerTo(it, answered);
    const silent = await request(it);
    await until(() => handled.length === 2);
    await it.tellAgain(answered);
    await it.tellAgain(silent);
    await answerTo(it, silent);
    await until(() => settled(it));
    assert.deepEqual(handled, [answered, silent, silent]);
  });

  test('what the bus hands out as new, and was answered here, is not handled again', async (t) => {
    const it = await ofDiscovery(t);
    let handled = 0;
    await it.start(
      hearer(async () => {
        handled += 1;
        return missing('once');
      }),
    );
    const answered = await request(it);
    await answerTo(it, answered);
    await until(() => settled(it));
    const [entry] = it.ledger.chain(answered);
    const to = { type: TYPE, route: '_', tenant: 'default', acquisitionId: answered };
    await jetstream(it.connection).publish(eventSubject(to), JSON.stringify(entry));
    await until(async () => (await it.consumer('discovery', TYPE)).deliveries === 2);
    await until(() => settled(it));
    assert.equal(handled, 1);
  });

  test('what is refused as it is not signed is left to a process that has a key', async (t) => {
    const refusal = { refusal: 'forbidden', because: 'not signed', version: 1 } as const;
    const it = await ofDiscovery(t, ({ type, data }) =>
      type === ContextCapturedV1.type && data['statement'] === undefined
        ? { ok: false, ...refusal }
        : undefined,
    );
    const capturing = service({
      name: 'discovery',
      config: z.object({}),
      open: async () => ({}),
      says: [ContextCapturedV1],
      hears: [
        on(
          AcquisitionRequestedV1,
          async () => say(ContextCapturedV1, { objects: [], gaps: ['as it was'] }),
          (_message, { code }) => say(ContextCapturedV1, { objects: [], gaps: [code] }),
        ),
      ],
      answers: [],
    });
    const first = await it.start(capturing);
    const acquisitionId = await request(it);
    await until(() => it.lines.some(({ phrase }) => phrase === 'not taken as it is signed'));
    await first[Symbol.asyncDispose]();
    await it.start(capturing, { STATEMENT_KEY: newStatementKey() });
    const said = await until(() => it.ledger.chain(acquisitionId)[1]);
    assert.deepEqual(said.event.data['gaps'], ['as it was']);
    await until(() => settled(it));
  });

  test('a stream that was deleted and laid again is heard as before', async (t) => {
    const it = await ofDiscovery(t);
    await it.start(hearer(async () => missing('heard')));
    await answerTo(it, await request(it));
    const manager = await jetstreamManager(it.connection);
    await it.ledger.stop();
    await manager.streams.delete(STREAM.name);
    await until(() => it.lines.some(({ phrase }) => phrase === 'bus not ready'));
    await it.ledger.again();
    assert.equal(await answerTo(it, await request(it)), 'heard');
  });

  test('a bus that dies and forgets everything is heard as before', async (t) => {
    const it = await ofDiscovery(t);
    await it.start(hearer(async () => missing('heard')));
    await answerTo(it, await request(it));
    await it.lose();
    await it.ledger.stop();
    await it.ledger.again();
    assert.equal(await answerTo(it, await request(it)), 'heard');
  });

  test('who is busy while the bus forgets everything hears again as soon as it can', async (t) => {
    const { it, go } = await busyWithoutBus(t);
    await until(() => it.lines.some(({ phrase }) => phrase === 'bus back'));
    // Each slot looks for its next message while there is no stream.
    go();
    await until(() => it.lines.some(({ phrase }) => phrase === 'bus not ready'));
    await it.ledger.stop();
    await it.ledger.again();
    assert.equal(await answerTo(it, await request(it)), 'heard');
  });

  test('who is busy until after the bus is as before hears again as soon as it can', async (t) => {
    const { it, go } = await busyWithoutBus(t);
    await it.ledger.stop();
    await it.ledger.again();
    // By now it has an inbox to pull into, and no slot to pull for.
    await delay(BUSY_MS);
    go();
    assert.equal(await answerTo(it, await request(it)), 'heard');
  });

  test('who waits for longer than a pull lasts hears as before', async (t) => {
    const it = await ofDiscovery(t);
    const batches: unknown[] = [];
    it.connection.subscribe('$JS.API.CONSUMER.MSG.NEXT.>', {
      callback: (_error, message) => void batches.push(message.json<{ batch: number }>().batch),
    });
    await it.connection.flush();
    await it.start(hearer(async () => missing('heard')));
    await answerTo(it, await request(it));
    await until(() => batches.length === 2, 'the next pull');
    assert.equal(await answerTo(it, await request(it)), 'heard');
    assert.deepEqual(batches, [SLOTS, SLOTS]);
    assert.deepEqual(
      it.lines.filter(({ phrase }) => phrase === 'bus not ready'),
      [],
    );
  });

  test('of many that wait, as many are worked on at once as there are slots', async (t) => {
    const it = await ofDiscovery(t);
    let [running, most, begun] = [0, 0, 0];
    const full = Promise.withResolvers<void>();
    await it.start(
      hearer(async () => {
        begun += 1;
        most = Math.max(most, ++running);
        if (running === SLOTS) full.resolve();
        await full.promise;
        running -= 1;
        return missing('heard');
      }),
    );
    const asked = await Promise.all(Array.from({ length: 3 * SLOTS }, () => request(it)));
    for (const id of asked) assert.equal(await answerTo(it, id), 'heard');
    await until(() => settled(it));
    assert.deepEqual({ most, begun }, { most: SLOTS, begun: 3 * SLOTS });
  });

  test('what cannot be read does not stop what can', async (t) => {
    const it = await ofDiscovery(t);
    await it.start(hearer(async () => missing('read')));
    const stream = jetstream(it.connection);
    const to = { type: TYPE, route: '_', tenant: 'default', acquisitionId: newId() };
    for (const bytes of ['', '{', '[[[[', 'null', '{"v":1}', '\u0000'.repeat(10_000)]) {
      await stream.publish(eventSubject(to), bytes);
    }
    assert.equal(await answerTo(it, await request(it)), 'read');
    await until(() => settled(it));
    const unreadable = it.lines.filter(({ phrase }) => phrase === 'message unreadable');
    assert.equal(unreadable.length, 6);
  });

  test('who stops while it waits ends at once, and gives back what still arrives', async (t) => {
    const it = await ofDiscovery(t);
    let running = await it.start(hearer(async () => missing('heard')));
    let stoppedMs = 0;
    // What is on its way at that moment differs from round to round.
    for (let round = 0; round < STOPS; round++) {
      const asked = await Promise.all(Array.from({ length: 8 }, () => request(it)));
      const started = performance.now();
      await running[Symbol.asyncDispose]();
      stoppedMs = Math.max(stoppedMs, performance.now() - started);
      running = await it.start(hearer(async () => missing('heard')));
      for (const id of asked) assert.equal(await answerTo(it, id), 'heard');
    }
    // A pull that is waited for lasts longer.
    assert.ok(stoppedMs < 15_000, `${stoppedMs} ms`);
    await until(() => settled(it));
  });

  test('who stops while it works leaves the message to the next one at once', async (t) => {
    const it = await ofDiscovery(t);
    let begun = 0;
    const running = await it.start(
      hearer(async (_message, _deps, signal) => {
        begun += 1;
        await wait(60_000, signal);
        signal.throwIfAborted();
        return undefined;
      }),
    );
    const acquisitionId = await request(it);
    await until(() => begun === 1);
    const started = performance.now();
    await running[Symbol.asyncDispose]();
    await it.start(hearer(async () => missing('by the next')));
    assert.equal(await answerTo(it, acquisitionId), 'by the next');
    // As long as the bus waits for an acknowledgement.
    assert.ok(performance.now() - started < ACK_WAIT_MS);
  });
});
