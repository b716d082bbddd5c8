// SPDX-License-Identifier: Apache-2.0
import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { refused } from '@impound/runtime/http-watch.ts';
import { BODY_BYTES_MAX, IN_HAND_MAX } from '../domain/limits.ts';
import { problemOf, Refusal } from '../domain/problem.ts';
import { fateOf, ITERATION_MS } from '../domain/turn.ts';
import type { Known } from './http-known.ts';
import { headersOf } from './http-problem.ts';

/** The orders and decisions that are worked on. */
export interface Hands {
  readonly count: number;
  /** Has one more in hand until it is disposed. Throws Refusal at the limit. */
  take(): Disposable;
}

export function openHands(): Hands {
  let count = 0;
  return {
    get count() {
      return count;
    },
    take: () => {
      if (count >= IN_HAND_MAX) throw new Refusal('unavailable', IN_HAND);
      count += 1;
      return {
        [Symbol.dispose]: () => {
          count -= 1;
        },
      };
    },
  };
}

/** Requests that wait for the gateway to begin with them. */
export interface Turns {
  readonly listener: RequestListener;
  /** A connection was taken: those that wait for the same go before requests. */
  came(): void;
}

/** The clock and the way to come back after everything else that is ready. */
export interface Loop {
  readonly nowMs: () => number;
  readonly again: (work: () => void) => void;
}

const LOOP: Loop = { nowMs: () => performance.now(), again: (work) => void setImmediate(work) };
/** Node takes one connection each time it looks; so many come before the next request begins. */
const CONNECTIONS_FIRST_MAX = 64;
const PROBE = '/healthz';

interface Waiting {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly atMs: number;
  readonly begin: () => void;
}

interface Queue {
  /** The first that has not had its turn is at `next`. */
  waiting: Waiting[];
  next: number;
  /** Connections that have one waiting: what they send behind it must not crowd out others. */
  readonly from: WeakSet<Socket>;
  cameNow: boolean;
  firsts: number;
  scheduledAtMs: number | undefined;
}

/**
 * Begins with requests in the order in which they came, little at a time, so that the event loop
 * comes round soon: it takes one connection each time, and whoever waits there is not even known.
 * What waits too long among many is refused at once, before anything of it is looked at.
 */
export function openTurns(
  work: RequestListener,
  { hands, known }: { readonly hands: Pick<Hands, 'count'>; readonly known: Pick<Known, 'has'> },
  loop: Loop = LOOP,
): Turns {
  const nothing = { cameNow: false, firsts: 0, scheduledAtMs: undefined };
  const it: Queue = { waiting: [], next: 0, from: new WeakSet(), ...nothing };
  const schedule = () => {
    if (it.scheduledAtMs !== undefined) return;
    it.scheduledAtMs = loop.nowMs();
    loop.again(() => {
      const tookMs = loop.nowMs() - (it.scheduledAtMs ?? 0);
      it.scheduledAtMs = undefined;
      if (!connectionsFirst(it)) turn(it, { hands, known, loop, tookMs });
      if (it.next < it.waiting.length) schedule();
    });
  };
  return {
    listener: (incoming, outgoing) => {
      if (incoming.url === PROBE) return void work(incoming, outgoing);
      if (it.from.has(incoming.socket)) return refuse(incoming, outgoing, hands.count);
      it.from.add(incoming.socket);
      // It is begun in its own trace, whoever's turn it was before.
      const within = AsyncLocalStorage.snapshot();
      const begin = () => within(work, incoming, outgoing);
      it.waiting.push({ incoming, outgoing, begin, atMs: loop.nowMs() });
      schedule();
    },
    came: () => {
      it.cameNow = true;
    },
  };
}

function connectionsFirst(it: Queue): boolean {
  const first = it.cameNow && it.firsts < CONNECTIONS_FIRST_MAX;
  it.cameNow = false;
  it.firsts = first ? it.firsts + 1 : 0;
  return first;
}

interface Turning {
  readonly hands: Pick<Hands, 'count'>;
  readonly known: Pick<Known, 'has'>;
  readonly loop: Loop;
  /** What the event loop needed to come round. */
  readonly tookMs: number;
}

/** Begins what can be begun in a few milliseconds, and refuses what came too late for it. */
function turn(it: Queue, { hands, known, loop, tookMs }: Turning): void {
  const startedAt = loop.nowMs();
  let begun = 0;
  for (; it.next < it.waiting.length; it.next++) {
    if (loop.nowMs() - startedAt > ITERATION_MS) break;
    const { incoming, outgoing, begin, atMs } = it.waiting[it.next] as Waiting;
    const fate = fateOf({
      waitedMs: startedAt - atMs,
      known: known.has(incoming),
      behind: it.waiting.length - it.next - 1,
      inHand: hands.count,
      orders: incoming.method === 'POST',
      begun,
      tookMs,
    });
    if (fate === 'wait') break;
    it.from.delete(incoming.socket);
    if (fate === 'refuse') refuse(incoming, outgoing, hands.count);
    else if (!outgoing.destroyed) {
      begun += 1;
      begin();
    }
  }
  // To move the rest at each turn would cost the more the longer the queue is.
  if (it.next < it.waiting.length / 2) return;
  it.waiting = it.waiting.slice(it.next);
  it.next = 0;
}

const REPEAT = 'send it again after a while, an order with the same Idempotency-Key';
const IN_HAND = `${IN_HAND_MAX} requests are in hand: ${REPEAT}`;
const LATE = ready(`more comes than can be answered in time: ${REPEAT}`);
const BUSY = ready(IN_HAND);
const FULL = ready(`the gateway has all the connections that it takes: ${REPEAT}`);

/** Everything of such an answer is made once: it is given when there is no time for more. */
function ready(detail: string) {
  const problem = problemOf(new Refusal('unavailable', detail));
  const body = JSON.stringify(problem);
  const length = { 'content-length': Buffer.byteLength(body) };
  return { body, status: problem.status, headers: { ...headersOf('unavailable'), ...length } };
}

function refuse(incoming: IncomingMessage, outgoing: ServerResponse, inHand: number): void {
  // Nobody reads on in a body that nobody wants: it would cost more than another connection.
  const bytes = Number(incoming.headers['content-length'] ?? Number.POSITIVE_INFINITY);
  if (incoming.method === 'POST' && bytes > BODY_BYTES_MAX) outgoing.shouldKeepAlive = false;
  answer(outgoing, inHand >= IN_HAND_MAX ? BUSY : LATE);
}

/** Answers that nobody can be served on a connection beyond those that a door takes. */
export function answerFull(outgoing: ServerResponse): void {
  answer(outgoing, FULL);
}

function answer(outgoing: ServerResponse, { status, headers, body }: typeof LATE): void {
  refused('gateway', 'unavailable');
  outgoing.writeHead(status, headers).end(body);
}
