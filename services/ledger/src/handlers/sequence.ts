// SPDX-License-Identifier: Apache-2.0
import { AcquisitionSealedV1 } from '@impound/contracts/acquisition/sealed.v1.ts';
import type { SayReply } from '@impound/contracts/say.ts';
import { messageOf } from '@impound/runtime/fault.ts';
import type { Log as Logging } from '@impound/runtime/log.ts';
import type { Decided } from '../domain/decide.ts';
import { refusal } from '../domain/refusal.ts';
import { type Deciding, decideWhole } from './decide-whole.ts';
import { type Added, type Drawn, type Pen, Taken } from './ports.ts';
import { dropStale, nextBatch, putBack, type Queue, type Waiting } from './queue.ts';
import type { Vouch } from './vouching.ts';

/** What one term of writing needs; `size` is the log's length as far as this process knows. */
export interface Term extends Deciding {
  readonly pen: Pick<Pen, 'known' | 'draw'>;
  readonly queue: Queue;
  readonly log: Logging;
  /** Told after each commit what was added, first of all to whoever publishes it. */
  readonly committed: (added: Added) => void;
  readonly vouch: Vouch;
  size: number;
  /** When something was said that the log held already, by performance.now(). */
  takenAt?: number;
}

/** A batch that is decided and drawn, and only has to be committed and answered. */
interface Ready {
  readonly batch: readonly Waiting[];
  readonly decided: Decided;
  readonly added: Added;
  /** Undefined: it adds nothing to the log. */
  readonly drawn: Drawn | undefined;
  /** Leaves in the log after it. */
  readonly size: number;
}

/**
 * As many must wait before a batch is made ready while the one before is committed. Fewer are
 * better off in one commit with those that come meanwhile.
 */
const AHEAD_SAYS_MIN = 256;

/**
 * Few says are taken for new, which spares the look for their ids; where the log refuses that, they
 * are looked for, and for a while so is all that comes: who says again does not do it once.
 */
const NEW_SAYS_MAX = 16;
const LOOKING_MS = 5_000;

function isTakenForNew({ takenAt }: Term, batch: readonly Waiting[]): boolean {
  const isQuiet = takenAt === undefined || performance.now() - takenAt > LOOKING_MS;
  return isQuiet && batch.length <= NEW_SAYS_MAX;
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
  let ready: Ready | undefined;
  while (!signal.aborted) {
    if (ready === undefined && queue.waiting.length === 0) {
      queue.arrival = Promise.withResolvers();
      await queue.arrival.promise;
    } else {
      ready = await writeAhead(term, ready);
    }
  }
  if (ready !== undefined) putBack(queue, ready.batch);
}

/** Writes a batch, and makes the next one ready meanwhile where enough wait for that. */
async function writeAhead(term: Term, begun: Ready | undefined): Promise<Ready | undefined> {
  const { queue } = term;
  const batch = begun?.batch ?? nextBatch(queue);
  let next: Promise<Ready | undefined> | undefined;
  try {
    const asNew = isTakenForNew(term, batch);
    const ready = begun ?? (await makeReady(term, batch, { asNew }));
    // What it must look up is on the wire before the commit, and read while that lasts.
    if (queue.waiting.length >= AHEAD_SAYS_MIN) next = aheadOf(term, ready);
    await land(term, ready, next === undefined);
    return await next;
  } catch (error) {
    const dropped = await next;
    if (dropped !== undefined) putBack(queue, dropped.batch);
    await halveOrKeep(term, batch, error);
    return undefined;
  }
}

/** The next batch on top of one that is not committed yet; what fails here is done again after. */
async function aheadOf(term: Term, before: Ready): Promise<Ready | undefined> {
  const batch = nextBatch(term.queue);
  try {
    return await makeReady(term, batch, { before });
  } catch {
    putBack(term.queue, batch);
    return undefined;
  }
}

/** What may or may not have been committed is decided again by whoever writes next. */
async function halveOrKeep(term: Term, batch: readonly Waiting[], error: unknown): Promise<void> {
  try {
    if (error instanceof Taken) await writeLooking(term, batch);
    else await halve(term, batch, error);
  } catch (thrown) {
    putBack(term.queue, batch);
    throw thrown;
  }
}

async function writeLooking(term: Term, batch: readonly Waiting[]): Promise<void> {
  term.takenAt = performance.now();
  await write(term, batch);
}

/** SQLSTATE classes and codes of values that a table does not take: they would never be taken. */
const UNSTORABLE = /^(22|54|23502|23514)/;

/** A batch that the tables refuse is halved until what they refuse stands alone and is answered. */
async function halve(term: Term, batch: readonly Waiting[], error: unknown): Promise<void> {
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

async function write(term: Term, batch: readonly Waiting[]): Promise<void> {
  try {
    await land(term, await makeReady(term, batch, {}), true);
  } catch (error) {
    await halve(term, batch, error);
  }
}

async function makeReady(
  term: Term,
  batch: readonly Waiting[],
  how: { readonly before?: Ready; readonly asNew?: boolean },
): Promise<Ready> {
  const { before, asNew } = how;
  const onto = { size: before?.size ?? term.size, ahead: before?.decided, asNew };
  const says = batch.map(({ say }) => say);
  const decided = await decideWhole(term, says, onto);
  const leaves = await vouched(term, decided.leaves);
  // Who says a seal says it again, and nobody else waits for who signs it.
  if (leaves === undefined) return await makeReady(term, batch.filter(isNoSeal), how);
  const added = { drafts: decided.drafts, leaves, asNew };
  const { size } = onto;
  if (added.drafts.length === 0) return { batch, decided, added, drawn: undefined, size };
  const drawn = term.pen.draw(added, before?.drawn);
  return { batch, decided, added, drawn, size: drawn.size };
}

/** Commits and answers: at once, or when what follows the commit is under way. */
async function land(term: Term, ready: Ready, isLast: boolean): Promise<void> {
  const { batch, decided, added, drawn } = ready;
  if (drawn !== undefined) {
    await drawn.commit();
    term.size = drawn.size;
    for (const [acq, head] of decided.heads) term.heads.set(acq, head);
    term.committed(added);
  }
  const answer = () => {
    for (const [at, one] of batch.entries()) one.answer(decided.replies[at] as SayReply);
  };
  if (isLast) answer();
  else setImmediate(answer);
}

function isNoSeal({ say }: Waiting): boolean {
  return say.event.type !== AcquisitionSealedV1.type;
}

/** The leaves that vouch for seals; undefined: one of them cannot be signed now. */
async function vouched(
  term: Term,
  leaves: Decided['leaves'],
): Promise<Added['leaves'] | undefined> {
  const signed = await Promise.all(leaves.map(({ seal }) => term.vouch(seal)));
  const whole = leaves.flatMap(({ seq }, at) => {
    const bytes = signed[at];
    return bytes === undefined ? [] : [{ seq, bytes }];
  });
  return whole.length === leaves.length ? whole : undefined;
}
