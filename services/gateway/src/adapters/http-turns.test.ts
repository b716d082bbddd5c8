// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { test } from 'node:test';
import { answerFull, type Hands, openTurns } from './http-turns.ts';

/** An event loop that comes round when it is told to, and requests that write down their fate. */
function loop(costMs = 0, hands: Pick<Hands, 'count'> = { count: 0 }) {
  const [begun, answers]: [string[], string[]] = [[], []];
  const world = { nowMs: 0, works: [] as (() => void)[] };
  const work = ({ url = '' }: IncomingMessage) => {
    begun.push(url);
    world.nowMs += costMs;
  };
  const at = { nowMs: () => world.nowMs, again: (next: () => void) => void world.works.push(next) };
  const strangers = { has: () => false };
  const turns = openTurns(work, { hands, known: strangers }, at);
  const come = (url: string, more: object = {}) => {
    const incoming = { url, method: 'POST', headers: { 'content-length': '2' }, socket: {} };
    const outgoing = {
      destroyed: false,
      shouldKeepAlive: true,
      writeHead: (status: number) => ({ end: () => answers.push(`${status} ${url}`) }),
    };
    const asked = { ...incoming, ...more } as unknown as IncomingMessage;
    turns.listener(asked, outgoing as unknown as ServerResponse);
    return { incoming: asked, outgoing };
  };
  const round = (tookMs = 0) => {
    world.nowMs += tookMs;
    const [next] = world.works.splice(0, 1);
    next?.();
    return next !== undefined;
  };
  return { begun, answers, turns, come, round };
}

test('requests begin in the order in which they came, and those that left do not', () => {
  const { begun, come, round } = loop();
  come('/1');
  come('/2').outgoing.destroyed = true;
  come('/3');
  assert.deepEqual(begun, [], 'none begins before all that is ready was seen');
  assert.ok(round());
  assert.deepEqual(begun, ['/1', '/3']);
  assert.ok(!round(), 'nothing is left to come back for');
});

test('who asks whether the gateway lives never waits', () => {
  const { begun, come } = loop(0, { count: 1_000 });
  come('/healthz');
  assert.deepEqual(begun, ['/healthz']);
});

test('while connections come each is taken before a request begins, but not for ever', () => {
  const { begun, turns, come, round } = loop();
  come('/1');
  let rounds = 0;
  do {
    turns.came();
    rounds += 1;
  } while (round() && begun.length === 0);
  assert.equal(rounds, 65);
});

test('what costs much time is begun piece by piece, so that others are seen between', () => {
  const { begun, come, round } = loop(3);
  for (const url of ['/1', '/2', '/3', '/4']) come(url);
  round();
  assert.deepEqual(begun, ['/1', '/2']);
  round(51);
  assert.deepEqual(begun, ['/1', '/2', '/3'], 'one where the loop was slow to come round');
});

test('a crowd that waits too long is told so at once, and the last of it is served', () => {
  const { begun, answers, come, round } = loop();
  for (let index = 0; index < 40; index++) come(`/${index}`);
  while (round(1_001));
  assert.equal(answers.length, 8);
  assert.ok(answers.every((answer) => answer.startsWith('503 ')));
  assert.equal(begun.length, 32);
});

test('with all hands full an order is refused unread, and who sends it large is cut off', () => {
  const { begun, answers, come, round } = loop(0, { count: 256 });
  const small = come('/small');
  const large = come('/large', { headers: { 'content-length': '65537' } });
  const endless = come('/endless', { headers: {} });
  come('/look', { method: 'GET' });
  round();
  assert.deepEqual(answers, ['503 /small', '503 /large', '503 /endless']);
  const kept = [small, large, endless].map(({ outgoing }) => outgoing.shouldKeepAlive);
  assert.deepEqual(kept, [true, false, false]);
  assert.deepEqual(begun, ['/look']);
});

test('a connection that sends on without waiting has one place in the queue', () => {
  const { begun, answers, come, round } = loop();
  const socket = {};
  for (const url of ['/1', '/2', '/3']) come(url, { socket });
  assert.deepEqual(answers, ['503 /2', '503 /3']);
  round();
  come('/4', { socket });
  round();
  assert.deepEqual(begun, ['/1', '/4']);
});

test('a request begins in its own context, whoever had the turn before', () => {
  const storage = new AsyncLocalStorage<string>();
  const seen: (string | undefined)[] = [];
  const works: (() => void)[] = [];
  const at = { nowMs: () => 0, again: (next: () => void) => void works.push(next) };
  const nobody = { hands: { count: 0 }, known: { has: () => false } };
  const turns = openTurns(() => void seen.push(storage.getStore()), nobody, at);
  for (const name of ['one', 'other']) {
    const incoming = { url: '/', method: 'GET', headers: {}, socket: {} } as IncomingMessage;
    storage.run(name, () => turns.listener(incoming, { destroyed: false } as ServerResponse));
  }
  works[0]?.();
  assert.deepEqual(seen, ['one', 'other']);
});

test('the answer of a full door says what to do', () => {
  const told: { status?: number; headers?: Record<string, unknown>; body?: string } = {};
  const end = (body: string) => Object.assign(told, { body });
  const writeHead = (status: number, headers: object) => {
    Object.assign(told, { status, headers });
    return { end };
  };
  answerFull({ writeHead } as unknown as ServerResponse);
  assert.equal(told.status, 503);
  assert.equal(told.headers?.['retry-after'], '2');
  assert.match(JSON.parse(told.body ?? '').detail, /send it again .* same Idempotency-Key/);
});
