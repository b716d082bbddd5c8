// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Progress } from '@impound/contracts/progress.ts';
import { newId } from '../src/ids.ts';
import { oneLimited } from '../src/testing/bus.ts';
import { until } from '../src/testing/until.ts';
import { wait } from '../src/wait.ts';
import { watchProgress } from '../src/watch.ts';
import { assign, BEAT_MS, captured, EXECUTOR, executor, resultOf, typesOf } from './worker.ts';
import { quiet, world } from './world.ts';

const STARTED = 'execution.started.v1';

suite('jobs in bad weather', { concurrency: 4 }, () => {
  test('a ledger that is away during the work gets the result when it returns', async (t) => {
    const it = await world(t, [EXECUTOR]);
    const go = new AbortController();
    const begun = Promise.withResolvers<void>();
    const done = Promise.withResolvers<void>();
    await it.start(
      executor(async (message, work, signal) => {
        begun.resolve();
        await wait(60_000, go.signal);
        assert.equal(signal.aborted, false);
        done.resolve();
        return captured(message, work);
      }),
    );
    const acquisitionId = await assign(it);
    // The claim is on record before its answer has come.
    await begun.promise;
    await it.ledger.stop();
    await quiet(BEAT_MS * 4);
    go.abort();
    await done.promise;
    await quiet(1_000);
    await it.ledger.again();
    assert.equal((await resultOf(it, acquisitionId)).type, 'evidence.captured.v1');
  });

  test('a ledger that is away when the assignment comes is waited for', async (t) => {
    const it = await world(t, [EXECUTOR]);
    const acquisitionId = await assign(it);
    await it.ledger.stop();
    let begun = 0;
    await it.start(
      executor(async (message, work) => {
        begun += 1;
        return captured(message, work);
      }),
    );
    // Longer than five deliveries with a second between them.
    await quiet(5_500);
    assert.equal(begun, 0);
    await it.ledger.again();
    await resultOf(it, acquisitionId);
    assert.equal(begun, 1);
  });

  test('a process that is stopped says so within its last words, and ends', async (t) => {
    const it = await world(t, [EXECUTOR]);
    const running = await it.start(
      executor(async (_message, _work, signal) => {
        await wait(60_000, signal);
        // What a collection still has to close.
        await quiet(300);
        throw signal.reason;
      }),
    );
    const acquisitionId = await assign(it);
    await until(() => typesOf(it, acquisitionId).includes(STARTED));
    const started = performance.now();
    await running[Symbol.asyncDispose]();
    // Last words have ten seconds.
    assert.ok(performance.now() - started < 9_000);
    const result = await resultOf(it, acquisitionId);
    assert.deepEqual([result.type, result['code']], ['execution.failed.v1', 'stopping']);
  });

  test('a process that is stopped while it claims does not begin', async (t) => {
    const claiming = Promise.withResolvers<void>();
    const stopped = Promise.withResolvers<void>();
    const it = await world(t, [EXECUTOR], {
      before: async ({ type }) => {
        if (type !== STARTED) return undefined;
        claiming.resolve();
        await stopped.promise;
        return undefined;
      },
    });
    let begun = 0;
    const running = await it.start(
      executor(async (message, work) => {
        begun += 1;
        return captured(message, work);
      }),
    );
    const acquisitionId = await assign(it);
    await claiming.promise;
    const stopping = running[Symbol.asyncDispose]();
    stopped.resolve();
    await stopping;
    const result = await resultOf(it, acquisitionId);
    assert.deepEqual([result['code'], begun], ['stopping', 0]);
  });

  test('a claim whose assignment cannot be acknowledged is worked on all the same', async (t) => {
    const deaf = await oneLimited(t, 'publish: { deny: "$JS.ACK.>" }');
    const it = await world(t, [EXECUTOR], deaf);
    let begun = 0;
    await it.start(
      executor(async (message, work) => {
        begun += 1;
        return captured(message, work);
      }),
      deaf.environment,
    );
    const acquisitionId = await assign(it);
    assert.equal((await resultOf(it, acquisitionId)).type, 'evidence.captured.v1');
    assert.equal(begun, 1);
  });

  test('heartbeats tell the newest phase, and always fit their contract', async (t) => {
    const it = await world(t, [EXECUTOR]);
    const phases: string[] = [];
    const raw: unknown[] = [];
    const go = new AbortController();
    const { house } = await it.start(
      executor(async (message, work) => {
        work.progress('looking', 1, 10);
        work.progress('collecting', 2, 20);
        await until(() => phases.includes('collecting'));
        work.progress(`\u0007${'z'.repeat(500)}`, Number.NaN, -1.5);
        await wait(60_000, go.signal);
        return captured(message, work);
      }),
    );
    const acquisitionId = newId();
    const of = { tenant: 'default', acquisitionId };
    watchProgress(house, of, ({ phase }) => void phases.push(phase), house.stopping);
    it.connection.subscribe(`impound.v1.progress.default.${acquisitionId}`, {
      callback: (_error, message) => void raw.push(message.json()),
    });
    await it.connection.flush();
    await house.connection.flush();
    await assign(it, acquisitionId);
    await until(() => phases.filter((phase) => phase.endsWith('zzz')).length >= 3);
    go.abort();
    await resultOf(it, acquisitionId);
    assert.equal(phases.includes('looking'), false);
    const beats = raw.length;
    await quiet(BEAT_MS * 4);
    assert.ok(raw.length - beats <= 1, 'the heart has stopped');
    await until(() => raw.length === phases.length);
    const last = Progress.parse(raw.at(-1));
    assert.deepEqual([last.epoch, last.worker, last.files, last.bytes], [1, house.worker, 0, 0]);
  });
});
