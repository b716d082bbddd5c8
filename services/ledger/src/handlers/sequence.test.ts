// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { AcquisitionSealedV1 } from '@impound/contracts/acquisition/sealed.v1.ts';
import type { SayReply } from '@impound/contracts/say.ts';
import type { Draft, Known } from '../domain/batch.ts';
import { firstHead, moved } from '../domain/head.ts';
import type { Say } from '../domain/say.ts';
import { headCache } from './head-cache.ts';
import { Taken } from './ports.ts';
import { enqueue, openQueue } from './queue.ts';
import { sequence, type Term } from './sequence.ts';

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

const headAfter = ({ event, version, hash }: Draft) =>
  moved(firstHead(event), event, { version, last: hash });

/** A term over a log in memory, whose appends may fail. */
function scene(append: (drafts: readonly Draft[]) => void) {
  const stored: Draft[] = [];
  const steps: string[] = [];
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
      known: async (ids, acqs): Promise<Known> => ({
        firsts: new Map(
          ids.map((one) => [one, stored.find(({ event }) => event.id === one) ?? null]),
        ),
        heads: new Map(
          acqs.map((acq) => {
            const last = stored.findLast(({ event }) => event.subject === acq);
            return [acq, last === undefined ? null : headAfter(last)];
          }),
        ),
      }),
      draw: ({ drafts, leaves }) => {
        const from = drafts[0]?.seq ?? 0;
        steps.push(`draw ${from}`);
        const commit = async () => {
          await new Promise((resolve) => setImmediate(resolve));
          append(drafts);
          const isHeld = (id: string) => stored.some(({ event }) => event.id === id);
          if (drafts.some(({ event }) => isHeld(event.id))) throw new Taken('held');
          stored.push(...drafts);
          steps.push(`commit ${from}`);
        };
        return { size: from + drafts.length + leaves.length, commit };
      },
    },
  };
  const come = (one: Say) => {
    const answer = (reply: SayReply) => void replies.set(one.event.id, reply);
    enqueue(queue, { say: one, cameAt: performance.now(), answer });
  };
  return { term, queue, stored, steps, replies, come };
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

test('a seal that cannot be signed waits, and nothing that is said beside it does', async () => {
  const it = scene(() => undefined);
  const data = AcquisitionSealedV1.example;
  const sealed: Say = {
    ...say(9),
    contract: AcquisitionSealedV1,
    event: {
      ...say(9).event,
      id: id(99),
      type: AcquisitionSealedV1.type,
      data,
    } as unknown as Say['event'],
  };
  let signs = false;
  const vouch = async () => (signs ? Buffer.alloc(128) : undefined);
  const stop = new AbortController();
  const ended = sequence({ ...it.term, vouch }, stop.signal);
  it.come(say(9));
  while (it.replies.size < 1) await new Promise((resolve) => setImmediate(resolve));
  it.come(sealed);
  it.come(say(1));
  while (it.replies.size < 2) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(it.replies.has(id(99)), false);
  signs = true;
  it.come(sealed);
  while (it.replies.size < 3) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  await ended;
  assert.deepEqual(
    it.stored.map(({ seq, event }) => [seq, event.id]),
    [
      [0, id(9)],
      [1, id(1)],
      [2, id(99)],
    ],
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

test('what nobody has said before is looked for by nobody', async () => {
  const it = scene(() => undefined);
  const { known } = it.term.pen;
  const looked: string[] = [];
  const pen = {
    ...it.term.pen,
    known: (ids: readonly string[], acqs: readonly string[]) => {
      looked.push(...ids, ...acqs);
      return known(ids, acqs);
    },
  };
  for (let n = 0; n < 4; n++) it.come(say(n));
  await answered({ ...it, term: { ...it.term, pen } }, 4);
  assert.deepEqual([it.stored.length, looked], [4, []]);
});

test('what was said before is found, and is no second beginning and no conflict', async () => {
  const it = scene(() => undefined);
  it.come(say(0));
  await answered(it, 1);
  const [first] = it.replies.values();
  it.replies.clear();
  // One process has its head at hand, the other one has not: each must find it under its id.
  for (const heads of [it.term.heads, headCache(4)]) {
    it.come(say(0));
    it.come(say(1));
    await answered({ ...it, term: { ...it.term, heads, size: it.stored.length } }, 2);
    assert.deepEqual(it.replies.get(id(0)), { ...first, repeated: true });
    assert.ok(it.replies.get(id(1))?.ok);
    it.replies.clear();
  }
  assert.deepEqual(
    it.stored.map(({ event }) => event.id),
    [id(0), id(1)],
  );
});

/** More than one commit takes, so that a second batch waits behind the first. */
const MANY = 1_500;
const BATCH = 1_024;

/** Runs a term until so many are answered. */
async function answered({ term, replies }: ReturnType<typeof scene>, count: number): Promise<void> {
  const stop = new AbortController();
  const ended = sequence(term, stop.signal);
  while (replies.size < count) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  await ended;
}

test('what waits behind a batch is made ready while that is committed, as if it were', async () => {
  const it = scene(() => undefined);
  const again: SayReply[] = [];
  for (let n = 0; n < MANY; n++) it.come(say(n));
  const behind = { cameAt: performance.now(), answer: (reply: SayReply) => void again.push(reply) };
  enqueue(it.queue, { say: say(3), ...behind });
  const beginsAgain = { ...say(4), event: { ...say(4).event, id: id(MANY + 4) } } as Say;
  enqueue(it.queue, { say: beginsAgain, ...behind });
  await answered(it, MANY);
  assert.deepEqual(it.steps, ['draw 0', `draw ${BATCH}`, 'commit 0', `commit ${BATCH}`]);
  const [repeat, refused] = again;
  assert.equal(repeat?.ok && repeat.repeated && repeat.seq, 3);
  assert.equal(refused?.ok === false && refused.refusal, 'conflict');
  assert.deepEqual(
    it.stored.map(({ seq }) => seq),
    Array.from({ length: MANY }, (_, n) => n),
  );
});

test('what was made ready behind a batch that is refused is decided again', async () => {
  const it = scene((drafts) => {
    const refused = drafts.some(({ event }) => event.id === id(3));
    if (refused) throw Object.assign(new Error('out of range'), { code: '22008' });
  });
  for (let n = 0; n < MANY; n++) it.come(say(n));
  await answered(it, MANY);
  const reply = it.replies.get(id(3));
  assert.equal(reply?.ok === false && reply.refusal, 'invalid');
  assert.deepEqual(it.steps.slice(0, 3), ['draw 0', `draw ${BATCH}`, `draw 0`]);
  assert.deepEqual(
    it.stored.map(({ seq }) => seq),
    Array.from({ length: MANY - 1 }, (_, n) => n),
  );
});

test('where the outcome of a commit is unknown, what was made ready behind it waits behind it', async () => {
  const it = scene(() => {
    throw new Error('the connection ended');
  });
  for (let n = 0; n < MANY; n++) it.come(say(n));
  await assert.rejects(sequence(it.term, new AbortController().signal), /connection ended/);
  assert.deepEqual([it.steps, it.replies.size], [['draw 0', `draw ${BATCH}`], 0]);
  assert.deepEqual(
    it.queue.waiting.map(({ say: { event } }) => event.id),
    Array.from({ length: MANY }, (_, n) => id(n)),
  );
  assert.equal(
    it.queue.characters,
    it.queue.waiting.reduce((sum, { say: { text } }) => sum + text.length, 0),
  );
});

test('a term that ends leaves what it had made ready in the queue', async () => {
  const stop = new AbortController();
  const it = scene(() => stop.abort());
  for (let n = 0; n < MANY; n++) it.come(say(n));
  await sequence(it.term, stop.signal);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([it.stored.length, it.replies.size], [BATCH, BATCH]);
  assert.equal(it.queue.waiting[0]?.say.event.id, id(BATCH));
  assert.equal(it.queue.waiting.length, MANY - BATCH);
});
