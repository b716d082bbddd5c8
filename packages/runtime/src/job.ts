// SPDX-License-Identifier: Apache-2.0
import { LedgerHeadV1 } from '@impound/contracts/ask/ledger.head.v1.ts';
import { HEARTBEAT_MS, type Progress, progressSubject } from '@impound/contracts/progress.ts';
import { timeOf } from '@impound/contracts/time.ts';
import type { JsMsg } from '@nats-io/jetstream';
import { codeOf, messageOf } from './fault.ts';
import { pull, settleUnreadable } from './hear.ts';
import { childId } from './ids.ts';
import { type Message, readMessage } from './message.ts';
import type { Said } from './say.ts';
import type { House, Job, Work } from './service.ts';
import { traced } from './trace.ts';
import { wait } from './wait.ts';

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
  // The same assignment delivered twice to one process must not run twice under one claim.
  const running = new Set<string>();
  return pull(house, { type: contract.type, route, slots }, async (raw, signal) => {
    const message = settleUnreadable(house, raw, () =>
      readMessage(contract, raw.data, raw.headers),
    );
    if (message === undefined) return;
    if (running.has(message.id)) return raw.ack();
    running.add(message.id);
    await traced(contract.type, message.event.traceparent, () =>
      turn({ job, deps, house, message }, raw, signal),
    ).finally(() => running.delete(message.id));
  });
}

const CLAIM_AGAIN_MS = 1_000;

async function turn<Deps>(it: Turn<Deps>, raw: JsMsg, signal: AbortSignal): Promise<void> {
  const { house, message } = it;
  try {
    const claimed = await claim(it, signal);
    if (!(await raw.ackAck())) house.log.debug('assignment not acknowledged', { id: message.id });
    if (claimed) await work(it);
  } catch (error) {
    if (signal.aborted) return;
    house.log.warn('claim failed', { id: message.id, because: messageOf(error) });
    raw.nak(CLAIM_AGAIN_MS);
  }
}

/**
 * True where the ledger has recorded this worker as the holder of the epoch. Nothing was sent to
 * the target before. A chain that moved for another reason is claimed again at its new version.
 */
async function claim<Deps>(it: Turn<Deps>, signal: AbortSignal): Promise<boolean> {
  const { job, house, message } = it;
  const { tenant, acquisitionId } = message;
  for (;;) {
    const head = await house.ask(LedgerHeadV1, { tenant, acquisitionId }, signal);
    const mine = head.epoch === message.data.epoch && head.claimedBy === undefined;
    if (!mine || head.stop) return false;
    const said: Said = job.claim(message, house.worker);
    const reply = await house.say(
      {
        ...said,
        id: childId(message.id, said.contract.type, house.worker),
        tenant,
        acquisitionId,
        causeId: message.id,
        traceparent: message.event.traceparent,
        expectedVersion: head.version,
      },
      signal,
    );
    // A repeat is this worker's own claim: its id names the worker.
    if (reply.ok) return true;
    if (reply.refusal !== 'conflict') return false;
  }
}

async function work<Deps>(it: Turn<Deps>): Promise<void> {
  const { job, deps, house, message } = it;
  const stop = new AbortController();
  const stopping = () => stop.abort(new Stopped('stopping', 'the executor is being stopped'));
  house.stopping.addEventListener('abort', stopping, { once: true });
  const beat = heart(it, stop);
  try {
    const said = await job.handle(message, deps, beat.work, stop.signal);
    await sayResult(it, said);
  } catch (error) {
    const reason = stop.signal.aborted ? stop.signal.reason : error;
    const code = reason instanceof Stopped ? reason.code : codeOf(reason);
    house.log.warn('job failed', { id: message.id, code, because: messageOf(reason) });
    const fault = { code, because: messageOf(reason) };
    await sayResult(it, job.otherwise(message, fault, house.worker));
  } finally {
    house.stopping.removeEventListener('abort', stopping);
    await beat.stop();
  }
}

const LAST_WORDS_MS = 10_000;

/** The result is kept until the ledger has it; only a process that stops gives it a last while. */
async function sayResult<Deps>(it: Turn<Deps>, said: Said): Promise<void> {
  const { house, message } = it;
  const lastWords = new AbortController();
  const limit = () => setTimeout(() => lastWords.abort(), LAST_WORDS_MS).unref();
  if (house.stopping.aborted) limit();
  else house.stopping.addEventListener('abort', limit, { once: true });
  const reply = await house.say(
    {
      ...said,
      id: childId(message.id, said.contract.type, house.worker),
      tenant: message.tenant,
      acquisitionId: message.acquisitionId,
      causeId: message.id,
      traceparent: message.event.traceparent,
    },
    lastWords.signal,
  );
  house.stopping.removeEventListener('abort', limit);
  if (!reply.ok) house.log.warn('result refused', { id: message.id, because: reply.because });
}

/** Says that the worker lives, and asks whether it may go on. A silent ledger changes nothing. */
function heart<Deps>(it: Turn<Deps>, stop: AbortController) {
  const { house, message } = it;
  const over = new AbortController();
  const seen = { phase: 'started', files: 0, bytes: 0 };
  const work: Work = {
    worker: house.worker,
    progress: (phase, files, bytes) => void Object.assign(seen, { phase, files, bytes }),
  };
  const beating = (async () => {
    while (!over.signal.aborted) {
      publish(house, message, seen);
      const verdict = await mayGoOn(it, over.signal);
      if (verdict !== undefined && !over.signal.aborted) stop.abort(verdict);
      await wait(HEARTBEAT_MS, over.signal);
    }
  })();
  return {
    work,
    stop: async () => {
      over.abort();
      await beating;
    },
  };
}

function publish(
  house: House,
  message: Message,
  seen: { phase: string; files: number; bytes: number },
): void {
  const progress: Progress = {
    tenant: message.tenant,
    acquisitionId: message.acquisitionId,
    epoch: message.data.epoch,
    worker: house.worker,
    at: timeOf(Date.now()),
    ...seen,
  };
  try {
    const subject = progressSubject(message.tenant, message.acquisitionId);
    house.connection.publish(subject, JSON.stringify(progress));
  } catch (error) {
    house.log.debug('progress not said', { because: messageOf(error) });
  }
}

async function mayGoOn<Deps>(it: Turn<Deps>, signal: AbortSignal): Promise<Stopped | undefined> {
  const { house, message } = it;
  const { tenant, acquisitionId } = message;
  const asked = { tenant, acquisitionId };
  const head = await house.ask(LedgerHeadV1, asked, signal).catch(() => undefined);
  if (head === undefined) return undefined;
  if (head.stop) return new Stopped('cancelled', 'the acquisition was cancelled or has ended');
  if (head.epoch === message.data.epoch && head.claimedBy === house.worker) return undefined;
  return new Stopped('fenced', `epoch ${message.data.epoch} is over`);
}
