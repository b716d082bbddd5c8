// SPDX-License-Identifier: Apache-2.0
import { askSubject } from '@impound/contracts/question.ts';
import { headers, type Msg, type Subscription } from '@nats-io/transport-node';
import { ERROR_CODE, ERROR_TEXT, jsonOf } from './ask.ts';
import { Later, messageOf, Never } from './fault.ts';
import type { Answering, House } from './service.ts';
import { traced } from './trace.ts';

const VERSION = '0.1.0';
const QUESTION_BYTES_MAX = 262_144;
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
  const endpoints = answers.map((one) => ({ one, requests: 0, errors: 0 }));
  const asked = endpoints.map((endpoint) =>
    house.connection.subscribe(askSubject(endpoint.one.question.name), {
      queue: house.service,
      callback: (_error, message) => {
        endpoint.requests += 1;
        void reply(endpoint.one, deps, house, message).catch(() => {
          endpoint.errors += 1;
        });
      },
    }),
  );
  return [...asked, ...describing(house, endpoints)];
}

async function reply<Deps>(
  one: Answering<Deps>,
  deps: Deps,
  house: House,
  message: Msg,
): Promise<void> {
  try {
    const request = one.question.request.safeParse(
      message.data.length > QUESTION_BYTES_MAX ? undefined : jsonOf(message.data),
    );
    if (!request.success) {
      return respondFault(message, '400', `invalid: ${request.error.message}`);
    }
    const signal = AbortSignal.any([house.stopping, AbortSignal.timeout(ANSWER_MS_MAX)]);
    const answered = await traced(one.question.name, message.headers?.get('traceparent'), () =>
      one.answer(request.data, deps, signal),
    );
    message.respond(JSON.stringify(answered));
  } catch (error) {
    const refused = error instanceof Never;
    const code = refused || error instanceof Later ? error.code : 'bug';
    house.log.warn('question not answered', { question: one.question.name, code });
    respondFault(message, refused ? '422' : '503', `${code}: ${messageOf(error)}`);
    throw error;
  }
}

const HEADER_CHARACTERS_MAX = 2_048;

function respondFault(message: Msg, code: string, text: string): void {
  const carried = headers();
  carried.set(ERROR_CODE, code);
  carried.set(ERROR_TEXT, text.replaceAll(/[^\x20-\x7e]+/g, ' ').slice(0, HEADER_CHARACTERS_MAX));
  message.respond(undefined, { headers: carried });
}

interface Endpoint {
  readonly one: { readonly question: { readonly name: string } };
  readonly requests: number;
  readonly errors: number;
}

function describing(house: House, endpoints: readonly Endpoint[]): Subscription[] {
  const about = { name: house.service, id: house.worker, version: VERSION, metadata: {} };
  const started = new Date().toISOString();
  const verbs: Readonly<Record<string, () => object>> = {
    PING: () => ({ type: 'io.nats.micro.v1.ping_response', ...about }),
    INFO: () => ({
      type: 'io.nats.micro.v1.info_response',
      ...about,
      description: `impound ${house.service}`,
      endpoints: endpoints.map(({ one }) => endpointInfo(one.question.name, house.service)),
    }),
    STATS: () => ({
      type: 'io.nats.micro.v1.stats_response',
      ...about,
      started,
      endpoints: endpoints.map(({ one, requests, errors }) => ({
        ...endpointInfo(one.question.name, house.service),
        num_requests: requests,
        num_errors: errors,
      })),
    }),
  };
  return Object.entries(verbs).flatMap(([verb, describe]) =>
    [
      `$SRV.${verb}`,
      `$SRV.${verb}.${house.service}`,
      `$SRV.${verb}.${house.service}.${house.worker}`,
    ].map((subject) =>
      house.connection.subscribe(subject, {
        callback: (_error, message) => void message.respond(JSON.stringify(describe())),
      }),
    ),
  );
}

function endpointInfo(name: string, service: string): object {
  return { name, subject: askSubject(name), queue_group: service };
}
