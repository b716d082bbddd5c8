// SPDX-License-Identifier: Apache-2.0
import { LedgerHeadV1 } from '@impound/contracts/ask/ledger.head.v1.ts';
import type { EventContract } from '@impound/contracts/event.ts';
import type { SayReply } from '@impound/contracts/say.ts';
import { askUntilAnswered } from './ask.ts';
import type { Delivery } from './delivery.ts';
import { becauseOf, codeOf, messageOf, Never } from './fault.ts';
import { comesAgain, type HearingOutcome, heard } from './hearing.ts';
import { heart } from './heart.ts';
import { childId } from './ids.ts';
import { type Message, readMessage } from './message.ts';
import { measuresOf } from './metrics.ts';
import { pull, settleUnreadable } from './pull.ts';
import type { Said, Saying } from './say.ts';
import { LABEL, METRICS } from './semantics.ts';
import type { House, Job, Work } from './service.ts';
import { failed } from './span.ts';
import type { Spool } from './spool.ts';
import { ADVICE, sayStated, stated, UNSIGNABLE } from './statement.ts';
import { backoffMs, wait } from './wait.ts';

/** The epoch is over or the acquisition is to stop: the reason a job's signal aborts with. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
  readonly code: 'cancelled' | 'fenced' | 'stopping';
  constructor(code: 'cancelled' | 'fenced' | 'stopping', message: string) {
    super(message);
    this.code = code;
  }
}

interface Turn<Deps> {
  // biome-ignore lint/suspicious/noExplicitAny: what it says was checked where it was declared
  readonly job: Job<any, Deps>;
  readonly deps: Deps;
  readonly house: House;
  readonly message: Message;
}

/** Runs jobs: claim on the record, acknowledge, work under the claim's epoch, say the result. */
export function working<Deps>(
  // biome-ignore lint/suspicious/noExplicitAny: what it says was checked where it was declared
  job: Job<any, Deps>,
  deps: Deps,
  house: House,
): Promise<void> {
  const { contract, route, slots } = job;
  measuresOf(house.service).move(METRICS.jobSlots, slots);
  // The same assignment delivered twice to one process must not run twice under one claim.
  const running = new Map<string, Promise<boolean>>();
  return pull(house, { type: contract.type, route, slots }, async (raw, signal) => {
    const message = settleUnreadable(house, raw, () =>
      readMessage(contract, raw.data, raw.headers),
    );
    if (message === undefined) return;
    const first = running.get(message.id);
    // It is settled where the first one's claim is decided, and given back where that failed.
    if (first !== undefined) return void ((await first) && raw.ack());
    const decided = Promise.withResolvers<boolean>();
    running.set(message.id, decided.promise);
    await heard({ house, raw, message }, () =>
      turn({ job, deps, house, message }, { raw, decided }, signal),
    ).finally(() => {
      decided.resolve(false);
      running.delete(message.id);
    });
  });
}

async function turn<Deps>(
  it: Turn<Deps>,
  { raw, decided }: { readonly raw: Delivery; readonly decided: PromiseWithResolvers<boolean> },
  signal: AbortSignal,
): Promise<HearingOutcome> {
  const claimed = await claim(it, comesAgain(raw) ? undefined : it.message.version, signal);
  decided.resolve(true);
  // Where the bus does not confirm it, the assignment comes again and finds the claim on record.
  await raw.ackAck().catch((error: unknown) => {
    const because = messageOf(error);
    it.house.log.debug('assignment not acknowledged', { id: it.message.id, because });
  });
  if (claimed) await work(it);
  return 'ok';
}

/**
 * True where the ledger has recorded this worker as the holder of the epoch. Nothing was sent to
 * the target before. What is heard for the first time is claimed at its own version, at which
 * nobody can have claimed it; a chain that has moved is looked at and claimed at its new version. A
 * ledger that is away is waited for.
 */
async function claim<Deps>(
  it: Turn<Deps>,
  heardAt: number | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  const { job, house, message } = it;
  const saying = await stated(house, sayingOf(it, job.claim(message, house.worker)), signal);
  let version = heardAt;
  for (let attempt = 1; ; attempt++) {
    const expectedVersion = version ?? (await claimableAt(it, signal));
    version = undefined;
    if (expectedVersion === undefined) return false;
    const reply = await house.say({ ...saying, expectedVersion }, signal);
    // Its id names the worker: a repeat is its own, now or for work that is done.
    if (reply.ok) return !reply.repeated || (await isHolder(it, signal));
    if (reply.refusal !== 'conflict') {
      const { refusal, because } = reply;
      house.log.warn('claim refused', { id: message.id, refusal, because });
      return false;
    }
    await wait(backoffMs(attempt, CLAIM_AGAIN_MS, CLAIM_AGAIN_MS_MAX), signal);
  }
}

/** The version at which the epoch can be claimed now; undefined where it cannot. */
async function claimableAt<Deps>(it: Turn<Deps>, signal: AbortSignal): Promise<number | undefined> {
  const { epoch, claimedBy, stop, version } = await headOf(it, signal);
  const mine = epoch === it.message.data.epoch && claimedBy === undefined;
  return mine && !stop ? version : undefined;
}

/** Whether this worker holds the epoch, and it may work. */
async function isHolder<Deps>(it: Turn<Deps>, signal: AbortSignal): Promise<boolean> {
  const { epoch, claimedBy, stop } = await headOf(it, signal);
  return epoch === it.message.data.epoch && claimedBy === it.house.worker && !stop;
}

async function headOf<Deps>({ house, message }: Turn<Deps>, signal: AbortSignal) {
  const { tenant, acquisitionId } = message;
  const request = { tenant, acquisitionId };
  return await askUntilAnswered(house, { question: LedgerHeadV1, request }, signal);
}

const CLAIM_AGAIN_MS = 10;
const CLAIM_AGAIN_MS_MAX = 1_000;

function sayingOf<Deps>({ house, message }: Turn<Deps>, said: Said): Saying {
  return {
    ...said,
    id: childId(message.id, said.contract.type, house.worker),
    tenant: message.tenant,
    acquisitionId: message.acquisitionId,
    causeId: message.id,
    causeHash: message.entryHash,
    traceparent: message.event.traceparent,
  };
}

async function work<Deps>(it: Turn<Deps>): Promise<void> {
  const { job, house, message } = it;
  const stop = new AbortController();
  const stopping = () => stop.abort(new Stopped('stopping', 'the executor is being stopped'));
  // The process may have been asked to stop while the claim was on its way.
  if (house.stopping.aborted) stopping();
  house.stopping.addEventListener('abort', stopping, { once: true });
  const mayGoOn = (signal: AbortSignal) => reasonToStop(it, signal);
  const beat = heart({ house, message, everyMs: job.heartbeatMs, mayGoOn }, stop);
  using words = lastWords(house.stopping);
  const measures = measuresOf(house.service);
  const startedAt = performance.now();
  measures.move(METRICS.jobsRunning, 1);
  let said: Said | undefined;
  try {
    said = await outcome(it, beat.work, stop.signal);
    await sayResult(it, said, words.signal).catch((error: unknown) => {
      if (!(error instanceof Never)) throw error;
      said = failure(it, error);
      return sayResult(it, said, words.signal);
    });
  } catch (error) {
    house.log.error('result not said', { id: message.id, because: messageOf(error) });
  } finally {
    house.stopping.removeEventListener('abort', stopping);
    measures.move(METRICS.jobsRunning, -1);
    measures.timed(METRICS.job, startedAt, { [LABEL.outcome]: said?.contract.type ?? 'unsaid' });
    await beat.stop();
  }
}

/** What the job returns, or what is to be said because it failed or had to stop. */
async function outcome<Deps>(it: Turn<Deps>, work: Work, signal: AbortSignal): Promise<Said> {
  try {
    signal.throwIfAborted();
    return await it.job.handle(it.message, it.deps, work, signal);
  } catch (error) {
    return failure(it, signal.aborted ? signal.reason : error);
  }
}

function failure<Deps>({ job, house, message }: Turn<Deps>, error: unknown): Said {
  const code = error instanceof Stopped ? error.code : codeOf(error);
  failed(code);
  house.log.warn('job failed', { id: message.id, code, because: messageOf(error) });
  return job.otherwise(message, { code, because: becauseOf(error) }, house.worker);
}

/** The result is kept until the ledger has it. Throws Never where it is no result. */
async function sayResult<Deps>(it: Turn<Deps>, said: Said, signal: AbortSignal): Promise<void> {
  const { house, message } = it;
  const saying = sayingOf(it, said);
  await house.spool?.keep(saying).catch((error: unknown) => {
    house.log.error('result not kept', { id: message.id, because: messageOf(error) });
  });
  const reply = await sayAndDrop(house, saying, signal);
  if (reply.ok) return;
  const because = `${said.contract.type} was refused: ${reply.because}`;
  if (reply.refusal === 'invalid') throw new Never('invalid', because);
  house.log.warn('result refused', { id: message.id, refusal: reply.refusal, because });
}

/** Where nobody answers, or takes it, until the signal aborts, it stays in the spool. */
async function sayAndDrop(house: House, saying: Saying, signal: AbortSignal): Promise<SayReply> {
  const reply = await sayStated(house, saying, signal);
  await house.spool?.drop(saying.id).catch((error: unknown) => {
    house.log.warn('result kept on', { id: saying.id, because: messageOf(error) });
  });
  return reply;
}

/**
 * Says what earlier processes have left, one after the other, in their words and their names: the
 * epoch it belongs to may be theirs still, and else it is on record as what was done without one.
 */
export async function sayKept(
  house: House,
  spool: Spool,
  contracts: readonly EventContract[],
): Promise<void> {
  const unsaid = (error: unknown, of: object = {}) => {
    if (house.stopping.aborted) return;
    house.log.error('kept result not said', { ...of, because: messageOf(error) });
  };
  const setAside = async (id: string) => {
    const path = await spool.setAside(id);
    house.log.error('kept result cannot be signed, set aside', { id, path, advice: ADVICE });
  };
  try {
    for (const saying of await spool.left(contracts)) {
      const { id } = saying;
      await sayAndDrop(house, saying, house.stopping)
        .then(({ ok }) => house.log.info('result of an earlier process said', { id, ok }))
        .catch((error: unknown) =>
          codeOf(error) === UNSIGNABLE ? setAside(id) : unsaid(error, { id }),
        );
    }
  } catch (error) {
    unsaid(error);
  }
}

const LAST_WORDS_MS = 10_000;

/** Aborts a while after the process was asked to stop: only then a result is given up. */
function lastWords(stopping: AbortSignal): Disposable & { readonly signal: AbortSignal } {
  const over = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const limit = () => {
    timer = setTimeout(() => over.abort(), LAST_WORDS_MS);
  };
  if (stopping.aborted) limit();
  else stopping.addEventListener('abort', limit, { once: true });
  return {
    signal: over.signal,
    [Symbol.dispose]: () => {
      stopping.removeEventListener('abort', limit);
      clearTimeout(timer);
    },
  };
}

/** A silent ledger is no reason. */
async function reasonToStop<Deps>(
  { house, message }: Turn<Deps>,
  signal: AbortSignal,
): Promise<Stopped | undefined> {
  const { tenant, acquisitionId } = message;
  const asked = { tenant, acquisitionId };
  const head = await house.ask(LedgerHeadV1, asked, signal).catch(() => undefined);
  if (head === undefined) return undefined;
  if (head.stop) return new Stopped('cancelled', 'the acquisition was cancelled or has ended');
  if (head.epoch === message.data.epoch && head.claimedBy === house.worker) return undefined;
  return new Stopped('fenced', `epoch ${message.data.epoch} is over`);
}
