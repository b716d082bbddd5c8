// SPDX-License-Identifier: Apache-2.0
import { askSubject, outsideSubject, type QuestionContract } from '@impound/contracts/question.ts';
import { headers, type Msg, type Subscription } from '@nats-io/transport-node';
import { ASKED_BYTES_MAX, ERROR_CODE, ERROR_TEXT, jsonOf } from './ask.ts';
import { codeOf, messageOf, Never } from './fault.ts';
import { outsiderOf } from './outsider.ts';
import { answersToInbox } from './reply.ts';
import type { Answering, House } from './service.ts';
import { tracedAnswer } from './trace.ts';
import { VERSION } from './version.ts';

const ANSWER_MS_MAX = 60_000;

/**
 * Answers the questions of one service, with the discovery verbs of the NATS services protocol
 * (ADR-32: PING, INFO, STATS), so that `nats micro` lists it.
 */
export function answering<Deps>(
  answers: readonly Answering<Deps>[],
  deps: Deps,
  house: House,
): readonly Subscription[] {
  const endpoints = answers.map((one) => ({ one, requests: 0, errors: 0, lastError: '', ms: 0 }));
  const asked = endpoints.map((endpoint) =>
    house.connection.subscribe(subjectOf(endpoint.one.question), {
      queue: house.service,
      callback: (error, message) => {
        if (error === null) {
          if (answersToInbox(message)) void answerOne(endpoint, deps, house, message);
        } else house.log.error('question not heard', { because: messageOf(error) });
      },
    }),
  );
  return [...asked, ...describing(house, endpoints)];
}

function subjectOf({ name, outside }: QuestionContract): string {
  return outside === true ? outsideSubject(name, '*', '*') : askSubject(name);
}

interface Endpoint<Deps> {
  readonly one: Answering<Deps>;
  requests: number;
  errors: number;
  lastError: string;
  ms: number;
}

async function answerOne<Deps>(
  endpoint: Endpoint<Deps>,
  deps: Deps,
  house: House,
  message: Msg,
): Promise<void> {
  const { name } = endpoint.one.question;
  const started = performance.now();
  endpoint.requests += 1;
  try {
    message.respond(await reply(endpoint.one, deps, house, message));
  } catch (error) {
    const code = house.stopping.aborted ? 'stopping' : codeOf(error);
    const status = error instanceof Never ? statusOf(error) : '503';
    endpoint.errors += 1;
    endpoint.lastError = `${status}:${code}`;
    house.log.warn('question not answered', { question: name, code, because: messageOf(error) });
    respondFault(house, message, { status, text: `${code}: ${messageOf(error)}` });
  }
  endpoint.ms += performance.now() - started;
}

/** The JSON of an answer. Throws Never where the question or the answer cannot be. */
async function reply<Deps>(
  { question, answer }: Answering<Deps>,
  deps: Deps,
  house: House,
  message: Msg,
): Promise<Uint8Array> {
  if (message.data.length > ASKED_BYTES_MAX) {
    throw new Never(INVALID, `a question has at most ${ASKED_BYTES_MAX} bytes`);
  }
  const request = question.request.safeParse(jsonOf(message.data));
  if (!request.success) throw new Never(INVALID, request.error.message);
  const signal = AbortSignal.any([house.stopping, AbortSignal.timeout(ANSWER_MS_MAX)]);
  const asked = message.headers?.get('traceparent');
  const { service } = house;
  const answered = await tracedAnswer({ service, name: question.name, asked }, () =>
    answer(request.data, deps, signal, outsiderOf(message, house.connection, Date.now())),
  );
  const bytes = Buffer.from(JSON.stringify(answered), 'utf8');
  const { max_payload: most = bytes.length } = house.connection.info ?? {};
  if (bytes.length <= most) return bytes;
  throw new Never('answer-too-large', `${bytes.length} of ${most} bytes: ask for less`);
}

const INVALID = 'invalid';

function statusOf(refused: Never): string {
  return refused.code === INVALID ? '400' : '422';
}

const HEADER_CHARACTERS_MAX = 2_048;

function respondFault(
  house: House,
  message: Msg,
  fault: { readonly status: string; readonly text: string },
): void {
  const text = fault.text.replaceAll(/[^\x20-\x7e]+/g, ' ').slice(0, HEADER_CHARACTERS_MAX);
  const carried = headers();
  carried.set(ERROR_CODE, fault.status);
  carried.set(ERROR_TEXT, text);
  try {
    message.respond(undefined, { headers: carried });
  } catch (error) {
    house.log.debug('fault not answered', { because: messageOf(error) });
  }
}

function describing<Deps>(house: House, endpoints: readonly Endpoint<Deps>[]): Subscription[] {
  const about = { name: house.service, id: house.worker, version: VERSION, metadata: {} };
  const started = new Date().toISOString();
  const verbs: Readonly<Record<string, () => object>> = {
    PING: () => ({ type: 'io.nats.micro.v1.ping_response', ...about }),
    INFO: () => ({
      type: 'io.nats.micro.v1.info_response',
      ...about,
      description: `impound ${house.service}`,
      endpoints: endpoints.map(({ one }) => endpointInfo(one.question, house.service)),
    }),
    STATS: () => ({
      type: 'io.nats.micro.v1.stats_response',
      ...about,
      started,
      endpoints: endpoints.map(endpointStats(house.service)),
    }),
  };
  return Object.entries(verbs).flatMap(([verb, describe]) =>
    [
      `$SRV.${verb}`,
      `$SRV.${verb}.${house.service}`,
      `$SRV.${verb}.${house.service}.${house.worker}`,
    ].map((subject) =>
      house.connection.subscribe(subject, {
        callback: (error, message) => {
          if (error === null && answersToInbox(message))
            message.respond(JSON.stringify(describe()));
        },
      }),
    ),
  );
}

/** An endpoint's name has no dots there: `ledger.head.v1` is `ledger-head-v1`. */
function endpointInfo(question: QuestionContract, service: string): object {
  const { name } = question;
  const subject = subjectOf(question);
  return { name: name.replaceAll('.', '-'), subject, queue_group: service, metadata: {} };
}

const NANOSECONDS = 1_000_000;

function endpointStats<Deps>(service: string) {
  return ({ one, requests, errors, lastError, ms }: Endpoint<Deps>): object => ({
    ...endpointInfo(one.question, service),
    num_requests: requests,
    num_errors: errors,
    last_error: lastError,
    processing_time: Math.round(ms * NANOSECONDS),
    average_processing_time: requests === 0 ? 0 : Math.round((ms * NANOSECONDS) / requests),
  });
}
