// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ATTEMPTS_MAX, Later, Never } from '../src/fault.ts';
import { newId } from '../src/ids.ts';
import { until } from '../src/testing/until.ts';
import { wait } from '../src/wait.ts';
import {
  answerTo,
  type Handle,
  hearer,
  missing,
  ofDiscovery,
  request,
  settled,
  TYPE,
} from './hearer.ts';
import { quiet, type World } from './world.ts';

suite('hear', { concurrency: 4 }, () => {
  test('what a handler returns is said first, and only then the message is acknowledged', async (t) => {
    const unacked: number[] = [];
    const it: World = await ofDiscovery(t, async () => {
      unacked.push((await it.consumer('discovery', TYPE)).unacked);
      return undefined;
    });
    await it.start(hearer(async ({ tenant }) => missing(`said by ${tenant}`)));
    const acquisitionId = await request(it);
    assert.equal(await answerTo(it, acquisitionId), 'said by default');
    await until(() => settled(it));
    assert.deepEqual(unacked, [1]);
    const [cause, answer] = it.ledger.chain(acquisitionId);
    assert.equal(answer?.event.causationid, cause?.event.id);
    assert.match(answer?.event.source ?? '', /^\/impound\/discovery\/discovery-/);
  });

  test('a handler that has nothing to say is done', async (t) => {
    const it = await ofDiscovery(t);
    let handled = 0;
    await it.start(
      hearer(async () => {
        handled += 1;
        return undefined;
      }),
    );
    const acquisitionId = await request(it);
    await until(() => handled === 1);
    await until(() => settled(it));
    assert.equal(it.ledger.chain(acquisitionId).length, 1);
  });

  test('Later comes again after its delay, and its answer is said once', async (t) => {
    const it = await ofDiscovery(t);
    const at: number[] = [];
    await it.start(
      hearer(async () => {
        at.push(performance.now());
        if (at.length < 2) throw new Later('api-busy', 600, 'busy');
        return missing('found at last');
      }),
    );
    const acquisitionId = await request(it);
    assert.equal(await answerTo(it, acquisitionId), 'found at last');
    await until(() => settled(it));
    const [first = 0, second = 0, ...more] = at;
    assert.ok(second - first >= 590, `${second - first} ms`);
    assert.deepEqual(more, []);
    assert.equal(it.ledger.chain(acquisitionId).length, 2);
  });

  test('Never says otherwise, in words that fit an event, and does not come again', async (t) => {
    const it = await ofDiscovery(t);
    let handled = 0;
    await it.start(
      hearer(async () => {
        handled += 1;
        throw new Never('pod-gone', `\u001b[31mgone\u0000\ud800 ${'x'.repeat(5_000)}`);
      }),
    );
    const acquisitionId = await request(it);
    assert.match(await answerTo(it, acquisitionId), /^pod-gone: \[31mgone \ufffd x{400}/);
    await until(() => settled(it));
    await quiet(300);
    assert.equal(handled, 1);
  });

  test('a handler that throws five times is given up as a bug', async (t) => {
    const it = await ofDiscovery(t);
    let handled = 0;
    await it.start(
      hearer(async () => {
        handled += 1;
        throw handled === 2 ? undefined : new Error('boom');
      }),
    );
    const acquisitionId = await request(it);
    assert.equal(await answerTo(it, acquisitionId), 'bug: boom');
    await until(() => settled(it));
    assert.equal(handled, 5);
  });

  test('what the ledger refuses is not lost in silence: otherwise is said', async (t) => {
    const it = await ofDiscovery(t, ({ data }) =>
      data['because'] === 'odd'
        ? { ok: false, refusal: 'invalid', because: 'this is odd', version: 1 }
        : undefined,
    );
    await it.start(hearer(async () => missing('odd')));
    const because = 'invalid: target.missing.v1 was refused: this is odd';
    assert.equal(await answerTo(it, await request(it)), because);
    await until(() => settled(it));
  });

  test('an otherwise that fails itself is told in the log, and the next message is heard', async (t) => {
    const it = await ofDiscovery(t);
    const failing = () => {
      throw new Error('and so does this');
    };
    const first = newId();
    const handle: Handle = async ({ acquisitionId }) => {
      if (acquisitionId === first) throw new Never('pod-gone', 'fails');
      return missing('next');
    };
    await it.start(hearer(handle, failing));
    await request(it, first);
    await until(() => it.lines.some(({ phrase }) => phrase === 'giving up was not said'));
    assert.equal(await answerTo(it, await request(it)), 'next');
    await until(() => settled(it));
  });

  test('a ledger that is away uses up no attempt of a message that comes again', async (t) => {
    const it = await ofDiscovery(t);
    let handled = 0;
    await it.start(
      hearer(async () => {
        handled += 1;
        if (handled === 1) throw new Later('api-busy', 50, 'busy');
        return missing('patience');
      }),
    );
    const acquisitionId = await request(it);
    await until(() => handled === 1);
    await it.ledger.stop();
    await quiet(3_000);
    assert.equal(handled, 1);
    await it.ledger.again();
    assert.equal(await answerTo(it, acquisitionId), 'patience');
    assert.equal(handled, 2);
  });

  test('a handler that works longer than the bus waits is not doubled', async (t) => {
    const it = await ofDiscovery(t);
    await it.ackWait('discovery', TYPE, 3_000);
    let handled = 0;
    const slow = hearer(async (_message, _deps, signal) => {
      handled += 1;
      await wait(7_000, signal);
      return missing('slow');
    });
    await it.start(slow);
    await it.start(slow);
    assert.equal(await answerTo(it, await request(it)), 'slow');
    await until(() => settled(it));
    assert.equal(handled, 1);
  });

  test('a process that stood still while a message came again and again has tried it once', async (t) => {
    const it = await ofDiscovery(t);
    let handled = 0;
    await it.start(
      hearer(async () => {
        handled += 1;
        const came = async () => (await it.consumer('discovery', TYPE)).deliveries > ATTEMPTS_MAX;
        if (handled === 1) await until(came);
        if (handled < 3) throw new Later('api-busy', 50, 'busy');
        return missing('found at last');
      }),
    );
    // Less than what it took from the consumer: it does not say in time that it works.
    await it.ackWait('discovery', TYPE, 200);
    assert.equal(await answerTo(it, await request(it)), 'found at last');
    await until(() => settled(it));
    assert.equal(handled, 3);
  });
});
