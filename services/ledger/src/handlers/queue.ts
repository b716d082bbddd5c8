// SPDX-License-Identifier: Apache-2.0
import type { SayReply } from '@impound/contracts/say.ts';
import type { Say } from '../domain/say.ts';

/** A say that waits for its answer. */
export interface Waiting {
  readonly say: Say;
  /** By performance.now(), in milliseconds. */
  readonly cameAt: number;
  answer(reply: SayReply): void;
}

/** Says that wait to be decided, in the order they came. */
export interface Queue {
  readonly waiting: Waiting[];
  /** Length of all their texts. */
  characters: number;
  /** Resolves when something was put in. */
  arrival: PromiseWithResolvers<void>;
}

const BATCH_SAYS_MAX = 1_024;
const BATCH_CHARACTERS_MAX = 4_194_304;
const QUEUE_SAYS_MAX = 8_192;
const QUEUE_CHARACTERS_MAX = 33_554_432;
/** A speaker waits this long for its answer, and says the same again. */
export const WAITING_MS_MAX = 5_000;

export function openQueue(): Queue {
  return { waiting: [], characters: 0, arrival: Promise.withResolvers() };
}

/** Puts a say into the queue; a full one drops it unanswered, and the speaker says it again. */
export function enqueue(queue: Queue, waiting: Waiting): void {
  if (queue.waiting.length >= QUEUE_SAYS_MAX) return;
  if (queue.characters >= QUEUE_CHARACTERS_MAX) return;
  queue.waiting.push(waiting);
  queue.characters += waiting.say.text.length;
  queue.arrival.resolve();
}

/** Drops what nobody waits for any more: it was said again, or will be. */
export function dropStale(queue: Queue): void {
  const oldest = performance.now() - WAITING_MS_MAX;
  takeFirst(queue, queue.waiting.findLastIndex(({ cameAt }) => cameAt < oldest) + 1);
}

function takeFirst(queue: Queue, count: number): Waiting[] {
  const taken = queue.waiting.splice(0, count);
  for (const { say } of taken) queue.characters -= say.text.length;
  return taken;
}

/** Takes out what is to be decided and committed together. */
export function nextBatch(queue: Queue): Waiting[] {
  let characters = 0;
  const fits = ({ say }: Waiting, at: number) => {
    characters += say.text.length;
    return at < BATCH_SAYS_MAX && (at === 0 || characters <= BATCH_CHARACTERS_MAX);
  };
  const end = queue.waiting.findIndex((waiting, at) => !fits(waiting, at));
  return takeFirst(queue, end === -1 ? queue.waiting.length : end);
}

/** Puts back what was taken out and not written, before all others. */
export function putBack(queue: Queue, batch: readonly Waiting[]): void {
  queue.waiting.unshift(...batch);
  for (const { say } of batch) queue.characters += say.text.length;
}
