// SPDX-License-Identifier: Apache-2.0
import {
  askSubject,
  type QuestionContract,
  type ReplyOf,
  type RequestOf,
} from '@impound/contracts/question.ts';
import {
  headers,
  type Msg,
  type NatsConnection,
  PermissionViolationError,
} from '@nats-io/transport-node';
import { Later, Never } from './fault.ts';
import { measuresOf } from './metrics.ts';
import { unlessOutage } from './outage.ts';
import { LABEL, METRICS } from './semantics.ts';
import { traceHeaders } from './span.ts';
import { tracedAsk } from './trace.ts';
import { backoffMs, unlessAborted, wait } from './wait.ts';

/** Asks another service one question and checks its answer. */
export type Ask = <Q extends QuestionContract>(
  question: Q,
  request: RequestOf<Q>,
  signal: AbortSignal,
) => Promise<ReplyOf<Q>>;

const ASK_MS_MAX = 10_000;
const AGAIN_MS = 500;
const AGAIN_MS_MIN = 100;
const AGAIN_MS_MAX = 1_000;

/** Names of the two headers by which the NATS services protocol tells an error (ADR-32). */
export const ERROR_CODE = 'Nats-Service-Error-Code';
export const ERROR_TEXT = 'Nats-Service-Error';

/** The most that a question or an answer may have. */
export const ASKED_BYTES_MAX = 262_144;

/**
 * Throws Later where nobody answers or the other side is in trouble (5xx), Never where it refuses
 * the question (4xx), answers something that is no answer, or the question cannot be put at all.
 * Gives up with the signal's reason as soon as that aborts. `service` is who asks.
 */
export function asker(connection: NatsConnection, service = 'client'): Ask {
  const ask = askOnce(connection);
  return async (question, request, signal) => {
    signal.throwIfAborted();
    const { name } = question;
    return await timed(service, () =>
      tracedAsk({ service, name }, () => ask(question, request, signal)),
    );
  };
}

async function timed<T>(service: string, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  let outcome = 'refused';
  try {
    const done = await work();
    outcome = 'ok';
    return done;
  } catch (error) {
    if (error instanceof Later) outcome = 'unanswered';
    throw error;
  } finally {
    measuresOf(service).timed(METRICS.ask, startedAt, { [LABEL.outcome]: outcome });
  }
}

function askOnce(connection: NatsConnection): Ask {
  return async (question, request, signal) => {
    const { name } = question;
    const bytes = Buffer.from(JSON.stringify(request), 'utf8');
    if (bytes.length > ASKED_BYTES_MAX) {
      throw new Never('question-too-large', `${name}: ${bytes.length} of ${ASKED_BYTES_MAX} bytes`);
    }
    const reply = await unlessAborted(put(connection, name, bytes), signal);
    refuseError(name, reply.headers?.get(ERROR_CODE), reply.headers?.get(ERROR_TEXT));
    const parsed = question.reply.safeParse(jsonOf(reply.data));
    if (!parsed.success) {
      throw new Never('no-such-answer', `${name}: the answer does not fit its contract`);
    }
    return parsed.data;
  };
}

async function put(connection: NatsConnection, name: string, bytes: Uint8Array): Promise<Msg> {
  const carried = headers();
  const { traceparent } = traceHeaders();
  if (traceparent !== undefined) carried.set('traceparent', traceparent);
  const terms = { timeout: ASK_MS_MAX, headers: carried };
  const answer = persistently(() => connection.request(askSubject(name), bytes, terms));
  return await unlessOutage(connection, answer).catch((cause: Error) => {
    if (
      cause instanceof PermissionViolationError ||
      cause.cause instanceof PermissionViolationError
    ) {
      throw new Never('forbidden', `${name}: the bus does not let this user ask it`, { cause });
    }
    throw new Later('no-answer', AGAIN_MS, `${name}: nobody answered`, { cause });
  });
}

/**
 * Whoever dies or stands still with a question answers nothing, and nobody is told: it is put
 * again after these times. All that is asked may be asked twice.
 */
const UNANSWERED_MS = [2_000, 5_000] as const;

async function persistently(ask: () => Promise<Msg>): Promise<Msg> {
  const { promise, resolve, reject } = Promise.withResolvers<Msg>();
  const once = async () => {
    try {
      resolve(await ask());
    } catch (error) {
      reject(error);
    }
  };
  const timers = UNANSWERED_MS.map((ms) => setTimeout(once, ms).unref());
  void once();
  try {
    return await promise;
  } finally {
    for (const timer of timers) clearTimeout(timer);
  }
}

/**
 * Asks again for as long as nobody answers: for what nothing can go on without. Only the signal
 * ends it; throws Never as `ask` does.
 */
export async function askUntilAnswered<Q extends QuestionContract>(
  { ask }: { readonly ask: Ask },
  { question, request }: { readonly question: Q; readonly request: RequestOf<Q> },
  signal: AbortSignal,
): Promise<ReplyOf<Q>> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask(question, request, signal);
    } catch (error) {
      if (!(error instanceof Later)) throw error;
      await wait(backoffMs(attempt, AGAIN_MS_MIN, AGAIN_MS_MAX), signal);
    }
  }
}

const KIND = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const KIND_CHARACTERS_MAX = 64;

function refuseError(name: string, code: string | undefined, text: string | undefined): void {
  if (!code) return;
  const [first = '', ...rest] = (text ?? '').split(': ');
  const known = KIND.test(first) && first.length <= KIND_CHARACTERS_MAX;
  const because = `${name}: ${(known && rest.join(': ')) || text || code}`;
  if (code.startsWith('5')) throw new Later(known ? first : 'no-answer', AGAIN_MS, because);
  throw new Never(known ? first : 'refused', because);
}

/** JSON of untrusted bytes; undefined where it is none. */
export function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
