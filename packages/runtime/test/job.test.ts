// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { AcquisitionAssignedV1 } from '@impound/contracts/acquisition/assigned.v1.ts';
import { CancellationRequestedV1 } from '@impound/contracts/cancellation/requested.v1.ts';
import { ExecutionLapsedV1 } from '@impound/contracts/execution/lapsed.v1.ts';
import { consumerPlan, plansOf, STREAM } from '@impound/contracts/streams.ts';
import { jetstreamManager } from '@nats-io/jetstream';
import { Never } from '../src/fault.ts';
import { layStream } from '../src/relay.ts';
import { until } from '../src/testing/until.ts';
import { wait } from '../src/wait.ts';
import { assign, captured, EXECUTOR, executor, resultOf, typesOf } from './worker.ts';
import { quiet, type World, world } from './world.ts';

const TYPE = AcquisitionAssignedV1.type;
const STARTED = 'execution.started.v1';
const CAPTURED = 'evidence.captured.v1';
const FAILED = 'execution.failed.v1';

const cancellation = CancellationRequestedV1.shape.parse(CancellationRequestedV1.example);

/** Works until it is told not to. */
async function untilAborted(signal: AbortSignal): Promise<never> {
  await wait(60_000, signal);
  throw signal.reason;
}

suite('jobs', { concurrency: 4 }, () => {
  test('the claim is on record before the work begins, and the assignment settled', async (t) => {
    const it = await world(t, [EXECUTOR]);
    const seen: (readonly string[])[] = [];
    let unacked = -1;
    await it.start(
      executor(async (message, work) => {
        seen.push(typesOf(it, message.acquisitionId));
        ({ unacked } = await it.consumer(EXECUTOR, TYPE));
        return captured(message, work);
      }),
    );
    const acquisitionId = await assign(it);
    assert.equal((await resultOf(it, acquisitionId)).type, CAPTURED);
    assert.deepEqual(seen, [[TYPE, STARTED]]);
    assert.equal(unacked, 0);
  });

  test('a chain that moves for another reason is claimed at its new version', async (t) => {
    let moved = 0;
    const it: World = await world(t, [EXECUTOR], {
      before: async ({ type, subject }) => {
        if (type === STARTED && moved < 3) {
          moved += 1;
          // Between the look at the chain and the claim something else is recorded.
          const data = { epoch: 9, because: `unrelated ${moved}` };
          await it.ledger.record({ contract: ExecutionLapsedV1, data, acquisitionId: subject });
        }
        return undefined;
      },
    });
    await it.start(executor(async (message, work) => captured(message, work)));
    const acquisitionId = await assign(it);
    await resultOf(it, acquisitionId);
    const others = Array.from({ length: 3 }, () => ExecutionLapsedV1.type);
    assert.deepEqual(typesOf(it, acquisitionId), [TYPE, ...others, STARTED, CAPTURED]);
  });

  test('of two workers exactly one works', async (t) => {
    const it = await world(t, [EXECUTOR]);
    const worked: string[] = [];
    const both = executor(async (message, work) => {
      worked.push(message.acquisitionId);
      return captured(message, work);
    });
    await it.start(both);
    await it.start(both);
    const ids = await Promise.all(Array.from({ length: 6 }, () => assign(it)));
    for (const id of ids) await it.tellAgain(id);
    for (const id of ids) await resultOf(it, id);
    await until(async () => (await it.consumer(EXECUTOR, TYPE)).unacked === 0);
    assert.deepEqual(worked.toSorted(), ids.toSorted());
    for (const id of ids) assert.deepEqual(typesOf(it, id), [TYPE, STARTED, CAPTURED]);
  });

  test('an assignment that comes again while it is worked on does not run twice', async (t) => {
    const it = await world(t, [EXECUTOR]);
    const go = new AbortController();
    let begun = 0;
    await it.start(
      executor(async (message, work) => {
        begun += 1;
        await wait(60_000, go.signal);
        return captured(message, work);
      }),
    );
    const acquisitionId = await assign(it);
    await until(() => begun === 1);
    await it.tellAgain(acquisitionId);
    await until(async () => {
      const { pending, unacked } = await it.consumer(EXECUTOR, TYPE);
      return pending === 0 && unacked === 0;
    });
    go.abort();
    await resultOf(it, acquisitionId);
    await it.tellAgain(acquisitionId);
    await until(async () => (await it.consumer(EXECUTOR, TYPE)).pending === 0);
    await quiet(200);
    assert.equal(begun, 1);
  });

  test('what a consumer that was laid anew hands out as new is not done twice', async (t) => {
    const it = await world(t, [EXECUTOR]);
    let begun = 0;
    await it.start(
      executor(async (message, work) => {
        begun += 1;
        return captured(message, work);
      }),
    );
    const acquisitionId = await assign(it);
    await resultOf(it, acquisitionId);
    const plans = plansOf(EXECUTOR);
    const manager = await jetstreamManager(it.connection);
    for (const { durable } of plans) await manager.consumers.delete(STREAM.name, durable);
    await layStream(it, plans);
    await until(async () => {
      const { config, delivered, num_ack_pending } = await manager.consumers.info(
        STREAM.name,
        consumerPlan(EXECUTOR, TYPE, '*').durable,
      );
      return config.deliver_policy === 'all' && delivered.stream_seq > 0 && num_ack_pending === 0;
    });
    assert.equal(begun, 1);
    assert.deepEqual(typesOf(it, acquisitionId), [TYPE, STARTED, CAPTURED]);
  });

  test('a cancellation on the chain stops the work within a heartbeat', async (t) => {
    const it = await world(t, [EXECUTOR]);
    const stopped = Promise.withResolvers<number>();
    const begun = Promise.withResolvers<void>();
    let beats = 0;
    const count = () => {
      beats += 1;
    };
    it.connection.subscribe('impound.v1.progress.>', { callback: count });
    await it.connection.flush();
    await it.start(
      executor(async (_message, _work, signal) => {
        begun.resolve();
        signal.addEventListener('abort', () => stopped.resolve(beats));
        return await untilAborted(signal);
      }),
    );
    const acquisitionId = await assign(it);
    await begun.promise;
    await it.ledger.record({
      contract: CancellationRequestedV1,
      data: cancellation,
      acquisitionId,
    });
    const before = beats;
    assert.ok((await stopped.promise) - before <= 3);
    const result = await resultOf(it, acquisitionId);
    assert.deepEqual([result.type, result['code']], [FAILED, 'cancelled']);
  });

  test('an acquisition that is cancelled before the claim is not touched', async (t) => {
    const it = await world(t, [EXECUTOR]);
    const acquisitionId = await assign(it);
    await it.ledger.record({
      contract: CancellationRequestedV1,
      data: cancellation,
      acquisitionId,
    });
    let begun = 0;
    await it.start(
      executor(async (message, work) => {
        begun += 1;
        return captured(message, work);
      }),
    );
    await until(async () => {
      const { pending, unacked } = await it.consumer(EXECUTOR, TYPE);
      return pending === 0 && unacked === 0;
    });
    assert.equal(begun, 0);
    assert.deepEqual(typesOf(it, acquisitionId), [TYPE, CancellationRequestedV1.type]);
  });

  test('a worker whose epoch has lapsed is fenced', async (t) => {
    const it = await world(t, [EXECUTOR]);
    const begun = Promise.withResolvers<void>();
    const reason = Promise.withResolvers<unknown>();
    await it.start(
      executor(async (_message, _work, signal) => {
        signal.addEventListener('abort', () => reason.resolve(signal.reason));
        begun.resolve();
        return await untilAborted(signal);
      }),
    );
    const acquisitionId = await assign(it);
    await begun.promise;
    const data = { epoch: 1, because: 'no heartbeat' };
    await it.ledger.record({ contract: ExecutionLapsedV1, data, acquisitionId });
    assert.deepEqual(
      { ...((await reason.promise) as object) },
      { name: 'Stopped', code: 'fenced' },
    );
  });

  test('a job that fails says so in words that fit an event', async (t) => {
    const it = await world(t, [EXECUTOR]);
    await it.start(
      executor(async () => {
        throw new Never('no-shell', `\u001b[0m${'y'.repeat(9_000)}`);
      }),
    );
    const result = await resultOf(it, await assign(it));
    assert.deepEqual([result.type, result['code']], [FAILED, 'no-shell']);
    assert.match(String(result['because']), /^\[0my{400,}$/);
  });

  test('a result that cannot be said ends the epoch all the same', async (t) => {
    const it = await world(t, [EXECUTOR]);
    await it.start(executor(async (message, work) => captured(message, work, 'a\u0000b')));
    const result = await resultOf(it, await assign(it));
    assert.deepEqual([result.type, result['code']], [FAILED, 'unsayable']);
  });

  test('a result that the ledger finds invalid ends the epoch all the same', async (t) => {
    const it = await world(t, [EXECUTOR], {
      before: ({ type }) =>
        type === CAPTURED
          ? { ok: false, refusal: 'invalid', because: 'no manifest', version: 2 }
          : undefined,
    });
    await it.start(executor(async (message, work) => captured(message, work)));
    const result = await resultOf(it, await assign(it));
    assert.deepEqual([result.type, result['code']], [FAILED, 'invalid']);
  });
});
