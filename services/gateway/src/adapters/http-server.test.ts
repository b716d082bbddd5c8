// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Log } from '@impound/runtime/log.ts';
import { BODY_BYTES_MAX } from '../domain/limits.ts';
import { Refusal } from '../domain/problem.ts';
import type { Doorkeeper } from './doorkeeper.ts';
import { openKnown } from './http-known.ts';
import { openApp } from './http-server.ts';
import { openHands } from './http-turns.ts';

function asked(method: string, body: Readable): IncomingMessage {
  const headersDistinct = { authorization: ['Bearer one'] };
  const given = { method, rawHeaders: [], headers: {}, headersDistinct, socket: {} };
  return Object.assign(body, given) as never;
}

test('an order is in hand when all of it is there, and until it is answered', async () => {
  const hands = openHands();
  const door = { byToken: async () => ({ caller: {} }) } as unknown as Doorkeeper;
  const log = { error: assert.fail } as unknown as Log;
  const app = openApp(
    { door, hands, known: openKnown(), health: async () => ({ status: 'ok' }), document: {} },
    log,
  );
  const [begun, done] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  app.post('/v1/orders', async (context) => {
    begun.resolve();
    await done.promise;
    return context.json({});
  });
  const ask = async (body: Readable) =>
    await app.fetch(new Request('http://door/v1/orders', { method: 'POST' }), {
      incoming: asked('POST', body),
    } as never);
  const slow = new Readable({ read: () => undefined });
  const answer = ask(slow);
  slow.push('{');
  await setImmediate();
  assert.equal(hands.count, 0, 'who sends slowly takes nobody a place');
  slow.push(null);
  await begun.promise;
  assert.equal(hands.count, 1);
  done.resolve();
  assert.equal((await answer).status, 200);
  assert.equal(hands.count, 0);
  const large = await ask(Readable.from([Buffer.alloc(BODY_BYTES_MAX + 1)]));
  assert.equal(large.status, 413);
  assert.equal(hands.count, 0);
});

test('who comes while too many orders are in hand is told so, and not kept waiting', async () => {
  const hands = openHands();
  using all = new DisposableStack();
  const fill = () => {
    for (;;) all.use(hands.take());
  };
  assert.throws(fill, (error) => error instanceof Refusal && /in hand: send/.test(error.message));
  const door = { byToken: async () => ({ caller: {} }) } as unknown as Doorkeeper;
  const log = { error: assert.fail } as unknown as Log;
  const app = openApp(
    { door, hands, known: openKnown(), health: async () => ({ status: 'ok' }), document: {} },
    log,
  );
  const ask = async (method: string) =>
    await app.fetch(new Request('http://door/v1/nothing', { method }), {
      incoming: asked(method, Readable.from([Buffer.from('{}')])),
    } as never);
  const answer = await ask('POST');
  assert.equal(answer.status, 503);
  assert.equal(answer.headers.get('retry-after'), '2');
  assert.equal((await ask('GET')).status, 404, 'who only looks is let in');
  all.dispose();
  assert.equal((await ask('POST')).status, 404, 'there is room again');
});
