// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { newId } from '@impound/runtime/ids.ts';
import { wait } from '@impound/runtime/wait.ts';
import { CLUSTER, CONTAINER, NAMESPACE } from '../fleet/cluster.ts';
import type { Fleet } from '../fleet/fleet.ts';

/** One request, which can be sent again. */
export interface Asking {
  readonly pod: string;
  readonly key: string;
}

/** What came of many requests. */
export interface Answered {
  /** How many answers of each status; 0 stands for no answer at all. */
  readonly statuses: Map<number, number>;
  /** How long each 202 took, in milliseconds. */
  readonly acceptedMs: number[];
  /** What was accepted. */
  readonly ids: string[];
  /** What may have been recorded, since nobody said that it was not. */
  readonly unsure: Asking[];
  /** Why there was no answer, by the code of the fault, and how often. */
  readonly silences: Map<string, number>;
  /** The reason that a status gave first; a status other than 202 without one is in `wordless`. */
  readonly reasons: Map<number, string>;
  wordless: number;
  /** Requests whose turn came while too many before them had no answer: they were not sent. */
  unsent: number;
}

/** Somebody who asks that much in vain holds back by itself; the door takes 1,024 connections. */
const UNANSWERED_MAX = 1_000;
/** Longer than the door waits for the ledger. */
const ANSWER_MS_MAX = 30_000;
const TICK_MS = 20;
/** The statuses that leave open what was recorded. */
const UNSURE: ReadonlySet<number> = new Set([0, 500, 503]);

export function nothingAnswered(): Answered {
  const maps = { statuses: new Map(), reasons: new Map(), silences: new Map() };
  const counts = { ...maps, wordless: 0, unsent: 0 };
  return { ...counts, acceptedMs: [], ids: [], unsure: [] };
}

/**
 * Sends requests at an even pace, whatever becomes of those before, each for another target. It
 * ends when the last one is answered or given up, ANSWER_MS_MAX after it was sent.
 */
export async function request200s(
  at: { readonly fleet: Fleet; readonly perSecond: number; readonly seconds: number },
  names: (index: number) => string,
  signal: AbortSignal,
): Promise<Answered> {
  const agent = new Agent({ keepAlive: true, maxSockets: UNANSWERED_MAX });
  const answered = nothingAnswered();
  const under = new Set<Promise<void>>();
  const all = at.perSecond * at.seconds;
  const startedAt = performance.now();
  try {
    for (let sent = 0; sent < all; ) {
      const elapsedMs = performance.now() - startedAt;
      const due = Math.min(all, Math.ceil((elapsedMs / 1_000) * at.perSecond));
      for (; sent < due; sent++) {
        if (under.size >= UNANSWERED_MAX) answered.unsent += 1;
        else begin(under, one({ ...at, agent, answered }, { pod: names(sent), key: newId() }));
      }
      await wait(TICK_MS, signal);
      signal.throwIfAborted();
    }
    await Promise.all(under);
  } finally {
    agent.destroy();
  }
  return answered;
}

function begin(under: Set<Promise<void>>, work: Promise<void>): void {
  under.add(work);
  void work.finally(() => under.delete(work));
}

const AT_ONCE = 16;

/** Sends requests again, a few at a time. */
export async function requestAgain(
  fleet: Fleet,
  askings: readonly Asking[],
  signal: AbortSignal,
): Promise<Answered> {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const answered = nothingAnswered();
  const left = [...askings];
  const turn = async () => {
    for (let asking = left.pop(); asking !== undefined; asking = left.pop()) {
      signal.throwIfAborted();
      await one({ fleet, agent, answered }, asking);
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, turn));
  } finally {
    agent.destroy();
  }
  return answered;
}

interface Sending {
  readonly fleet: Fleet;
  readonly agent: Agent;
  readonly answered: Answered;
}

async function one({ fleet, agent, answered }: Sending, asking: Asking): Promise<void> {
  const startedAt = performance.now();
  const { status, text } = await posted(fleet, agent, asking).catch(silence);
  answered.statuses.set(status, (answered.statuses.get(status) ?? 0) + 1);
  if (status === 202) {
    answered.acceptedMs.push(performance.now() - startedAt);
    answered.ids.push((JSON.parse(text) as { acquisitionId: string }).acquisitionId);
    return;
  }
  if (UNSURE.has(status)) answered.unsure.push(asking);
  if (status === 0) {
    answered.silences.set(text, (answered.silences.get(text) ?? 0) + 1);
    return;
  }
  const reason = reasonIn(text);
  if (reason === '') answered.wordless += 1;
  else if (!answered.reasons.has(status)) answered.reasons.set(status, reason);
}

/** What a request that was given up ends with. */
export const GIVEN_UP = 'ABORT_ERR';

function silence(fault: NodeJS.ErrnoException) {
  return { status: 0, text: fault.code ?? fault.name };
}

function reasonIn(text: string): string {
  try {
    return String((JSON.parse(text) as { detail?: string }).detail ?? '');
  } catch {
    return '';
  }
}

async function posted({ access }: Fleet, agent: Agent, { pod, key }: Asking) {
  const body = JSON.stringify({
    target: `kubernetes://${CLUSTER}/${NAMESPACE}/${pod}/${CONTAINER}`,
    caseId: 'DRILL-1',
    reason: 'a drill',
    profile: 'volatile',
    deadlineSeconds: 7_200,
  });
  const sending = request(`${access.url}/v1/acquisitions`, {
    method: 'POST',
    agent,
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
    headers: {
      authorization: `Bearer ${access.token}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'idempotency-key': key,
    },
  });
  sending.on('error', () => undefined);
  sending.end(body);
  const [response] = (await once(sending, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') };
}
