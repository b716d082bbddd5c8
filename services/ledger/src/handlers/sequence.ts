// SPDX-License-Identifier: Apache-2.0
import type { SayReply } from '@impound/contracts/say.ts';
import { messageOf } from '@impound/runtime/fault.ts';
import type { Log as Logging } from '@impound/runtime/log.ts';
import type { First, Tools } from '../domain/batch.ts';
import { type Decided, decide } from '../domain/decide.ts';
import type { ChainHead } from '../domain/head.ts';
import { refusal } from '../domain/refusal.ts';
import type { Say } from '../domain/say.ts';
import type { HeadCache } from './head-cache.ts';
import type { Added, Pen } from './ports.ts';

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

/** What one term of writing needs; `size` is the log's length as far as this process knows. */
export interface Term {
  readonly pen: Pen;
  readonly queue: Queue;
  readonly heads: HeadCache;
  readonly tools: Tools;
  readonly log: Logging;
  /** Told after each commit what was added, first of all to whoever publishes it. */
  readonly committed: (added: Added) => void;
  /** The bytes of the leaf that vouches for a seal, of which it is given the entry. */
  readonly vouch: (seal: string) => Promise<Buffer>;
  size: number;
}

const BATCH_SAYS_MAX = 2_048;
const BATCH_CHARACTERS_MAX = 4_194_304;
const QUEUE_SAYS_MAX = 8_192;
const QUEUE_CHARACTERS_MAX = 33_554_432;

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

/** A speaker waits this long for its answer, and says the same again. */
export const WAITING_MS_MAX = 5_000;

/** Drops what nobody waits for any more: it was said again, or will be. */
function dropStale(queue: Queue): void {
  const oldest = performance.now() - WAITING_MS_MAX;
  takeFirst(queue, queue.waiting.findLastIndex(({ cameAt }) => cameAt < oldest) + 1);
}

function takeFirst(queue: Queue, count: number): Waiting[] {
  const taken = queue.waiting.splice(0, count);
  for (const { say } of taken) queue.characters -= say.text.length;
  return taken;
}

/**
 * Writes while the pen is held: what arrives during a commit is the next batch. Ends with the
 * signal; rejects where the outcome of a commit is not known. Then the batch stays in the queue,
 * and the next term reads the log again: what was committed is found under its id.
 */
export async function sequence(term: Term, signal: AbortSignal): Promise<void> {
  const { queue } = term;
  signal.addEventListener('abort', () => queue.arrival.resolve(), { once: true });
  dropStale(queue);
  while (!signal.aborted) {
    if (queue.waiting.length === 0) {
      queue.arrival = Promise.withResolvers();
      await queue.arrival.promise;
    } else {
      await writeOrKeep(term, nextBatch(queue));
    }
  }
}

/** What may or may not have been committed is decided again by whoever writes next. */
async function writeOrKeep(term: Term, batch: readonly Waiting[]): Promise<void> {
  try {
    await write(term, batch);
  } catch (error) {
    term.queue.waiting.unshift(...batch);
    for (const { say } of batch) term.queue.characters += say.text.length;
    throw error;
  }
}

function nextBatch(queue: Queue): Waiting[] {
  let characters = 0;
  const fits = ({ say }: Waiting, at: number) => {
    characters += say.text.length;
    return at < BATCH_SAYS_MAX && (at === 0 || characters <= BATCH_CHARACTERS_MAX);
  };
  const end = queue.waiting.findIndex((waiting, at) => !fits(waiting, at));
  return takeFirst(queue, end === -1 ? queue.waiting.length : end);
}

/** SQLSTATE classes and codes of values that a table does not take: they would never be taken. */
const UNSTORABLE = /^(22|54|23502|23514)/;

/** A batch that the tables refuse is halved until what they refuse stands alone and is answered. */
async function write(term: Term, batch: readonly Waiting[]): Promise<void> {
  try {
    await commit(term, batch);
  } catch (error) {
    const code = String((error as { code?: unknown }).code);
    if (!UNSTORABLE.test(code)) throw error;
    if (batch.length > 1) {
      const middle = Math.ceil(batch.length / 2);
      await write(term, batch.slice(0, middle));
      return await write(term, batch.slice(middle));
    }
    term.log.error('say not storable', { code, because: messageOf(error) });
    batch[0]?.answer(refusal('invalid', `the ledger cannot store it (${code})`, 0));
  }
}

async function commit(term: Term, batch: readonly Waiting[]): Promise<void> {
  const decided = await decideWhole(
    term,
    batch.map(({ say }) => say),
  );
  if (decided.drafts.length > 0) {
    const added = { drafts: decided.drafts, leaves: await vouched(term, decided.leaves) };
    await term.pen.append(term.size, added);
    term.size += added.drafts.length + added.leaves.length;
    for (const [acq, head] of decided.heads) term.heads.set(acq, head);
    term.committed(added);
  }
  for (const [at, { answer }] of batch.entries()) answer(decided.replies[at] as SayReply);
}

async function vouched(term: Term, leaves: Decided['leaves']): Promise<Added['leaves']> {
  const signed = leaves.map(async ({ seq, seal }) => ({ seq, bytes: await term.vouch(seal) }));
  return await Promise.all(signed);
}

const LOOKUPS_MAX = 16;

/** Decides again for as long as deciding shows that more of the log must be known. */
async function decideWhole(term: Term, says: readonly Say[]): Promise<Decided> {
  const known = { firsts: new Map<string, First | null>(), heads: new Map<string, Head>() };
  let ids: Iterable<string> = new Set(says.map(({ event }) => event.id));
  let acqs: Iterable<string> = new Set(says.map(({ event }) => event.subject));
  for (let lookup = 1; lookup <= LOOKUPS_MAX; lookup++) {
    await look(term, { ids, acqs }, known);
    const decided = decide(says, known, term);
    if (decided.unknown.ids.size === 0 && decided.unknown.acqs.size === 0) return decided;
    ({ ids, acqs } = decided.unknown);
  }
  const because = `a batch of ${says.length} is not decided after ${LOOKUPS_MAX} lookups`;
  throw Object.assign(new Error(because), { code: TOO_MUCH });
}

/** program_limit_exceeded of Postgres, for a limit of our own: the batch is halved. */
const TOO_MUCH = '54000';

type Head = ChainHead | null;

async function look(
  term: Term,
  wanted: { readonly ids: Iterable<string>; readonly acqs: Iterable<string> },
  known: { readonly firsts: Map<string, First | null>; readonly heads: Map<string, Head> },
): Promise<void> {
  const absent: string[] = [];
  for (const acq of wanted.acqs) {
    const head = term.heads.get(acq);
    if (head === undefined) absent.push(acq);
    else known.heads.set(acq, head);
  }
  const read = await term.pen.known([...wanted.ids], absent);
  for (const [id, first] of read.firsts) known.firsts.set(id, first);
  for (const [acq, head] of read.heads) {
    known.heads.set(acq, head);
    if (head !== null) term.heads.set(acq, head);
  }
}
