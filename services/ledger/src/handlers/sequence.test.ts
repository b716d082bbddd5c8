// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import type { SayReply } from '@impound/contracts/say.ts';
import type { Draft, Known } from '../domain/batch.ts';
import type { Say } from '../domain/say.ts';
import { headCache } from './head-cache.ts';
import { enqueue, openQueue, sequence, type Term } from './sequence.ts';

const id = (n: number) => `0199f5a2-7c3e-7a10-8f52-${n.toString(16).padStart(12, '0')}`;

function say(n: number): Say {
  const { example } = AcquisitionRequestedV1;
  const event = { id: id(n), subject: id(n), tenant: 'default', data: example };
  const whole = { ...event, type: AcquisitionRequestedV1.type, source: '/impound/gateway/g-1' };
  return {
    event: whole as unknown as Say['event'],
    contract: AcquisitionRequestedV1,
    text: JSON.stringify(whole),
    expectedVersion: undefined,
  };
}

/** A term over a log in memory, whose appends may fail. */
function scene(append: (drafts: readonly Draft[]) => void) {
  const stored: Draft[] = [];
  const replies = new Map<string, SayReply>();
  const queue = openQueue();
  const none = () => undefined;
  const term: Term = {
    queue,
    heads: headCache(4),
    size: 0,
    committed: none,
    vouch: async () => Buffer.alloc(128),
    log: { debug: none, info: none, warn: none, error: none },
    tools: {
      sha256: () => '',
      leafHash: () => 'f'.repeat(64),
      childId: () => id(999),
      salt: () => '',
      now: () => '',
      source: '/impound/ledger/l-1',
    },
    pen: {
      standing: () => ({ size: 0, root: Buffer.alloc(32) }),
      own: async () => ({ entries: [], version: 0, last: '' }),
      lost: new AbortController().signal,
      known: async (ids, acqs): Promise<Known> => ({
        firsts: new Map(
          ids.map((one) => [one, stored.find(({ event }) => event.id === one) ?? null]),
        ),
        heads: new Map(acqs.map((acq) => [acq, null])),
      }),
      append: async (_size, { drafts }) => {
        append(drafts);
        stored.push(...drafts);
      },
      [Symbol.asyncDispose]: async () => undefined,
    },
  };
  const come = (one: Say) => {
    const answer = (reply: SayReply) => void replies.set(one.event.id, reply);
    enqueue(queue, { say: one, cameAt: performance.now(), answer });
  };
  return { term, queue, stored, replies, come };
}

test('what the tables refuse is answered as invalid and harms nobody beside it', async () => {
  const refused = Object.assign(new Error('out of range'), { code: '22008' });
  const it = scene((drafts) => {
    if (drafts.some(({ event }) => event.id === id(3))) throw refused;
  });
  for (let n = 0; n < 8; n++) it.come(say(n));
  const stop = new AbortController();
  const ended = sequence(it.term, stop.signal);
  while (it.replies.size < 8) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  await ended;
  const reply = it.replies.get(id(3));
  assert.equal(reply?.ok === false && reply.refusal, 'invalid');
  assert.deepEqual(
    it.stored.map(({ seq, event }) => [seq, event.id]),
    [0, 1, 2, 4, 5, 6, 7].map((n, at) => [at, id(n)]),
  );
});

test('a commit of unknown outcome is answered by nobody until it is decided again', async () => {
  let lost = false;
  const it = scene((drafts) => {
    if (lost) return;
    lost = true;
    it.stored.push(...drafts);
    throw new Error('the connection ended after the commit');
  });
  for (let n = 0; n < 4; n++) it.come(say(n));
  await assert.rejects(sequence(it.term, new AbortController().signal), /connection ended/);
  assert.deepEqual([it.replies.size, it.queue.waiting.length], [0, 4]);
  const stop = new AbortController();
  const ended = sequence({ ...it.term, size: 4 }, stop.signal);
  while (it.replies.size < 4) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  await ended;
  assert.equal(it.stored.length, 4);
  assert.ok([...it.replies.values()].every((reply) => reply.ok && reply.repeated));
  assert.equal(it.queue.characters, 0);
});
