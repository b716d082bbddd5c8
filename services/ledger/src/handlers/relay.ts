// SPDX-License-Identifier: Apache-2.0
import { messageOf, Never } from '@impound/runtime/fault.ts';
import type { Log as Logging } from '@impound/runtime/log.ts';
import { measuresOf } from '@impound/runtime/metrics.ts';
import type { Laid, Telling, Waiting } from '@impound/runtime/relay.ts';
import { METRICS } from '@impound/runtime/semantics.ts';
import { backoffMs, wait } from '@impound/runtime/wait.ts';
import {
  eventIn,
  isTold,
  recordedMsOf,
  type StoredEntry,
  storedOf,
  subjectOf,
} from '../domain/telling.ts';
import type { Added, Lag, Log, Relaying } from './ports.ts';
import { beginWalk, tellStalled, type Walk } from './stalled.ts';

/** The bus as the relay needs it. */
export interface Stream {
  /** Lays what is missing, and says how far the stream was told. */
  lay(): Promise<Laid>;
  /** Publishes one entry; rejects where the stream did not take it. */
  tell(telling: Telling): Promise<void>;
  /** Looks at what nobody was handed yet. */
  waiting(): Promise<Waiting>;
}

/** The publishing side of one term. */
interface Relay {
  readonly stream: Stream;
  readonly log: Log;
  readonly logging: Logging;
  readonly stallMs: number;
  /** Entries in the log. */
  size: number;
  /** Index of the entry that is told next; UNKNOWN until the stream was looked at. */
  next: number;
  /** Entries that were just committed, kept so that they need not be read again. */
  fresh: StoredEntry[];
  /** Set while there is nothing to tell: called with what was begun where something is. */
  wake: ((begun?: Promise<void>) => void) | undefined;
  /** True where the stream may have lost something: lay and look before telling more. */
  doubtful: boolean;
  /** Number of the last telling again: it makes message ids new. */
  again: number;
}

/** Begins to publish for one term, which ends with the signal. */
export function relaying(
  from: Pick<Relay, 'stream' | 'log' | 'logging' | 'stallMs' | 'size'> & {
    /** Calls back whenever the bus was away; until the signal aborts. */
    readonly watchReturns: (returned: () => void, signal: AbortSignal) => void;
  },
  signal: AbortSignal,
): Relaying {
  const relay: Relay = {
    ...from,
    next: UNKNOWN,
    fresh: [],
    wake: undefined,
    doubtful: false,
    again: 0,
  };
  from.watchReturns(() => doubt(relay), signal);
  const committed = ({ drafts, leaves }: Added) =>
    added(
      relay,
      [...drafts.map(storedOf), ...leaves.map(({ seq }) => ({ seq, hash: '', text: '' }))].toSorted(
        (one, other) => one.seq - other.seq,
      ),
    );
  const beganMs = Date.now();
  return { committed, lag: () => lagOf(relay, beganMs), ended: runRelay(relay, signal) };
}

/** Where the stream could not be looked at, everything waits since the term began. */
async function lagOf(relay: Relay, beganMs: number): Promise<Lag> {
  const { next, size, log } = relay;
  if (next === UNKNOWN) return { untold: undefined, sinceMs: beganMs };
  if (next >= size) return { untold: 0, sinceMs: undefined };
  const [oldest] = await log.entries(next, size, 1);
  return {
    untold: size - next,
    sinceMs: oldest && isTold(oldest) ? recordedMsOf(oldest.text) : undefined,
  };
}

/** Where nobody knows yet how far the stream was told. */
const UNKNOWN = -1;

const FRESH_MAX = 2_048;
const PAGE = 256;
const WINDOW = 64;

/**
 * Takes over what a commit has added, and tells it at once where nothing else is being told: who
 * goes on because of it waits for that, and not for the answer to who said it.
 */
function added(relay: Relay, entries: readonly StoredEntry[]): void {
  relay.fresh.push(...entries);
  if (relay.fresh.length > FRESH_MAX) relay.fresh = [];
  relay.size += entries.length;
  if (relay.wake !== undefined && !relay.doubtful) relay.wake(tellNew(relay));
}

/** The bus went away and came back: what it holds must be looked at. */
function doubt(relay: Relay): void {
  relay.doubtful = true;
  relay.wake?.();
}

/** Publishes the log in its order until the signal aborts; begins anew after any failure. */
async function runRelay(relay: Relay, signal: AbortSignal): Promise<void> {
  signal.addEventListener('abort', () => relay.wake?.(), { once: true });
  let walk = beginWalk(Number.NEGATIVE_INFINITY, Date.now());
  for (let attempt = 1; !signal.aborted; ) {
    try {
      await catchUp(relay, signal);
      walk = await keepTelling(relay, walk, signal);
      attempt = 1;
    } catch (error) {
      if (signal.aborted) return;
      const level = error instanceof Never ? 'error' : 'warn';
      relay.logging[level]('not told yet', { next: relay.next, because: messageOf(error) });
      await wait(backoffMs(attempt++), signal);
    }
  }
}

/** Lays the stream; where it has lost its memory, what may not have been heard is told again. */
async function catchUp(relay: Relay, signal: AbortSignal): Promise<void> {
  relay.doubtful = false;
  const { toldSeq } = await relay.stream.lay();
  if (toldSeq === undefined) return await tellUnheardAgain(relay, signal);
  if (toldSeq >= relay.size) throw behind(toldSeq, relay.size);
  // What failed here is told again even where the stream took what came after it.
  relay.next = relay.next === UNKNOWN ? toldSeq + 1 : Math.min(relay.next, toldSeq + 1);
}

/** The database has lost entries that were told to others: nobody may write on as if it had not. */
export function behind(toldSeq: number, size: number): Never {
  return new Never(
    'database-behind',
    `the stream was told entry ${toldSeq}, the database has ${size}: it is older than what was ` +
      'told. Restore it completely, or delete the stream if the log was begun anew on purpose',
  );
}

async function tellUnheardAgain(relay: Relay, signal: AbortSignal): Promise<void> {
  const { size } = relay;
  let told = 0;
  for (let from = 0; from < size && !signal.aborted; ) {
    const page = await relay.log.unheard(from, size, PAGE);
    await tellAll(relay, page, { again: true, cursor: false });
    told += page.length;
    from = page.length < PAGE ? size : (page.at(-1)?.seq ?? size) + 1;
  }
  if (signal.aborted) return;
  relay.next = size;
  if (size > 0) relay.logging.warn('open chains told again', { told, size });
}

/** Tells what is new until the stream is in doubt, or, from time to time, what has stalled. */
async function keepTelling(relay: Relay, walk: Walk, signal: AbortSignal): Promise<Walk> {
  const deadline = Date.now() + relay.stallMs;
  const isOver = () => signal.aborted || relay.doubtful;
  while (!isOver() && Date.now() < deadline) {
    if (relay.next < relay.size) await tellNew(relay);
    else await pause(relay, deadline - Date.now());
  }
  if (isOver()) return walk;
  return await tellStalled(relay, walk, {
    tellNew: async () => {
      const isNew = relay.next < relay.size;
      if (isNew) await tellNew(relay);
      return isNew;
    },
    tellAgain: (entries) => tellAll(relay, entries, { again: true, cursor: true }),
  });
}

async function tellNew(relay: Relay): Promise<void> {
  const page = await nextPage(relay);
  await tellAll(relay, page, { again: false, cursor: false });
  relay.next = (page.at(-1)?.seq ?? relay.next) + 1;
}

/** Waits for a commit, which is told when this ends, for a stream in doubt, or for the time. */
async function pause(relay: Relay, milliseconds: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(() => relay.wake?.(), milliseconds);
  relay.wake = (begun) => {
    relay.wake = undefined;
    clearTimeout(timer);
    resolve(begun);
  };
  await promise;
}

async function nextPage(relay: Relay): Promise<readonly StoredEntry[]> {
  const at = relay.fresh.findIndex(({ seq }) => seq >= relay.next);
  relay.fresh.splice(0, at === -1 ? relay.fresh.length : at);
  if (relay.fresh[0]?.seq === relay.next) return relay.fresh.splice(0, PAGE);
  const page = await relay.log.entries(relay.next, relay.size, PAGE);
  if (page[0]?.seq !== relay.next) throw new Error(`entry ${relay.next} is not in the log`);
  return page;
}

/**
 * Publishes entries in their order, a window at a time. Where one is not taken, the cursor stays
 * before it.
 */
async function tellAll(
  relay: Relay,
  stored: readonly StoredEntry[],
  how: { readonly again: boolean; readonly cursor: boolean },
): Promise<void> {
  const entries = stored.filter(isTold);
  for (let from = 0; from < entries.length; from += WINDOW) {
    const window = entries.slice(from, from + WINDOW);
    const sent = await Promise.allSettled(
      window.map((entry) => relay.stream.tell(tellingOf(relay, entry, how))),
    );
    const failed = sent.findIndex(({ status }) => status === 'rejected');
    if (failed === -1) continue;
    if (!how.again) relay.next = window[failed]?.seq ?? relay.next;
    throw (sent[failed] as PromiseRejectedResult).reason;
  }
}

function tellingOf(
  relay: Relay,
  entry: StoredEntry,
  how: { readonly again: boolean; readonly cursor: boolean },
): Telling {
  const event = entry.event ?? eventIn(entry.text);
  if (how.again) measuresOf('ledger').count(METRICS.toldAgain);
  if (how.again) relay.again = Math.max(relay.again + 1, Date.now());
  return {
    subject: subjectOf(event),
    seq: entry.seq,
    eventId: event.id,
    entryHash: entry.hash,
    bytes: Buffer.from(entry.text, 'utf8'),
    traceparent: event.traceparent,
    again: how.again ? relay.again : undefined,
    toldSeq: how.cursor ? relay.next - 1 : undefined,
  };
}
