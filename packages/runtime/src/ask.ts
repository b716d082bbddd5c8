// SPDX-License-Identifier: Apache-2.0
import {
  askSubject,
  type QuestionContract,
  type ReplyOf,
  type RequestOf,
} from '@impound/contracts/question.ts';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import { Later, Never } from './fault.ts';
import { traceparent } from './trace.ts';

/** Asks another service one question and checks its answer. */
export type Ask = <Q extends QuestionContract>(
  question: Q,
  request: RequestOf<Q>,
  signal: AbortSignal,
) => Promise<ReplyOf<Q>>;

const ASK_MS_MAX = 10_000;
const AGAIN_MS = 500;

/** Names of the two headers by which the NATS services protocol tells an error (ADR-32). */
export const ERROR_CODE = 'Nats-Service-Error-Code';
export const ERROR_TEXT = 'Nats-Service-Error';

/**
 * Throws Later where nobody answers or the other side is in trouble (5xx), Never where it refuses
 * the question (4xx) or answers something that is no answer.
 */
export function asker(connection: NatsConnection): Ask {
  return async (question, request, signal) => {
    signal.throwIfAborted();
    const carried = headers();
    const parent = traceparent();
    if (parent !== undefined) carried.set('traceparent', parent);
    const reply = await connection
      .request(askSubject(question.name), JSON.stringify(request), {
        timeout: ASK_MS_MAX,
        headers: carried,
      })
      .catch((cause: unknown) => {
        throw new Later('no-answer', AGAIN_MS, `${question.name}: nobody answered`, { cause });
      });
    refuseError(question.name, reply.headers?.get(ERROR_CODE), reply.headers?.get(ERROR_TEXT));
    const parsed = question.reply.safeParse(jsonOf(reply.data));
    if (!parsed.success) {
      throw new Never('no-such-answer', `${question.name}: the answer does not fit its contract`);
    }
    return parsed.data;
  };
}

function refuseError(name: string, code: string | undefined, text: string | undefined): void {
  if (!code) return;
  const [kind, ...rest] = (text ?? '').split(': ');
  const because = `${name}: ${rest.join(': ') || text}`;
  if (code.startsWith('5')) throw new Later(kind || 'no-answer', AGAIN_MS, because);
  throw new Never(kind || 'refused', because);
}

/** JSON of untrusted bytes; undefined where it is none. */
export function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
