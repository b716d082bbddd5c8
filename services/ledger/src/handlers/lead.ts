// SPDX-License-Identifier: Apache-2.0
import type { SayReply } from '@impound/contracts/say.ts';
import type { Incoming } from '@impound/runtime/door.ts';
import { Later, messageOf } from '@impound/runtime/fault.ts';
import type { Log as Logging } from '@impound/runtime/log.ts';
import { LABEL, METRICS } from '@impound/runtime/semantics.ts';
import { backoffMs, wait } from '@impound/runtime/wait.ts';
import type { Tools } from '../domain/batch.ts';
import { refusal } from '../domain/refusal.ts';
import { isSay, readSay } from '../domain/say.ts';
import { type SignerKeys, unsigned } from '../domain/signers.ts';
import { steady } from '../domain/steady.ts';
import { beginLog, type Signing } from './begin-log.ts';
import type { Checkpointing } from './checkpointing.ts';
import { headCache } from './head-cache.ts';
import type { Added, PenHolder, Relaying, Standing } from './ports.ts';
import { enqueue, openQueue, type Queue } from './queue.ts';
import { type SayOwn, sayingOwn } from './say-own.ts';
import { sequence } from './sequence.ts';
import { vouching } from './vouching.ts';
import { type House, watchHouse } from './watch-house.ts';

const HEADS_MAX = 20_000;

/** The log, for whoever signs it and shows it to others. */
export interface Written {
  readonly standing: () => Standing;
  readonly sayOwn: SayOwn;
}

/** What the leading ledger needs of the world. */
export interface Leading {
  readonly pens: PenHolder;
  readonly tools: Tools;
  readonly log: Logging;
  /** Lets says in until the signal aborts. */
  readonly openDoor: (come: (incoming: Incoming) => void, signal: AbortSignal) => void;
  /** Publishes the log from what it holds, for as long as this process leads. */
  readonly relay: (size: number, signal: AbortSignal) => Relaying;
  /** Signs the log, for as long as this process leads. */
  readonly checkpoint: (log: Written, signal: AbortSignal) => Checkpointing;
  /** Who signs for the log, and what services say. */
  readonly signing: Signing;
  /** What it shows while it writes. */
  readonly house: House;
}

/**
 * Takes the pen, opens the door, writes and publishes; waits again wherever the pen or the
 * database is lost. The door is open only while the pen is held. Ends with the signal.
 */
export async function lead(leading: Leading, signal: AbortSignal): Promise<void> {
  const queue = openQueue();
  for (let attempt = 1; !signal.aborted; attempt++) {
    const began = performance.now();
    const ended = await term(leading, queue, signal).catch((error: unknown) => error);
    if (signal.aborted) return;
    const level = ended instanceof Later ? 'warn' : 'error';
    leading.log[level]('not writing', { because: messageOf(ended) });
    if (performance.now() - began > STEADY_MS) attempt = 1;
    await wait(backoffMs(attempt, AGAIN_MS, AGAIN_MS_MAX), signal);
  }
}

const AGAIN_MS = 50;
const AGAIN_MS_MAX = 1_000;
/** A term that lasted this long was no failed attempt. */
const STEADY_MS = 5_000;

/** One term: from taking the pen to losing it. Rejects with what ended it. */
async function term(leading: Leading, queue: Queue, signal: AbortSignal): Promise<void> {
  const { pens, log, house, signing: by } = leading;
  await using pen = await pens.take(() => log.info('standing by'), signal);
  const over = new AbortController();
  const during = AbortSignal.any([signal, over.signal, pen.lost]);
  const tools = steady(leading.tools, await pen.lastAt());
  const begun = await beginLog(pen, by, tools);
  const { size } = pen.standing();
  const relaying = leading.relay(size, during);
  const sayOwn = sayingOwn(begun.id, queue, tools);
  const signing = leading.checkpoint({ standing: pen.standing, sayOwn }, during);
  const held = { by, signers: begun.signers, log };
  leading.openDoor((incoming) => receive(incoming, queue, held), during);
  log.info('writing', { size });
  house.measures.count(METRICS.terms);
  watchHouse(house, relaying.lag, during);
  try {
    const committed = (added: Added) => {
      relaying.committed(added);
      signing.committed(added);
      for (const { event } of added.drafts) {
        house.measures.count(METRICS.entries, 1, { [LABEL.type]: event.type });
      }
    };
    const heads = headCache(HEADS_MAX);
    const vouch = vouching(by.keys.submitter, log);
    await sequence({ pen, queue, heads, tools, log, committed, vouch, size }, during);
    if (!signal.aborted) throw new Later('pen-lost', AGAIN_MS, 'the session with the pen ended');
  } finally {
    over.abort();
    await Promise.all([relaying.ended, signing.ended]);
  }
}

interface Held {
  readonly by: Signing;
  readonly signers: SignerKeys;
  readonly log: Logging;
}

const BECAUSE_LENGTH_MAX = 200;

/** What can be refused without the chain is answered at once; the log tells who it was. */
function receive(incoming: Incoming, queue: Queue, { by, signers, log }: Held): void {
  const answer = (reply: SayReply) => {
    try {
      incoming.answer(reply);
    } catch {
      // The bus is gone, and the speaker with it: it says the same again and is answered then.
    }
  };
  const read = readSay(incoming);
  const refused = isSay(read) ? unsigned(read, signers, by.statements) : read;
  if (refused !== undefined) {
    const { service, noun, verb } = incoming;
    const because = refused.because.slice(0, BECAUSE_LENGTH_MAX);
    log.warn('say refused', { speaker: service, said: `${noun}.${verb}`, ...refused, because });
    answer(refusal(refused.refusal, refused.because, 0));
  } else if (isSay(read)) enqueue(queue, { say: read, cameAt: performance.now(), answer });
}
