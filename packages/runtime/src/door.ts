// SPDX-License-Identifier: Apache-2.0
import { EVENT_BYTES_MAX } from '@impound/contracts/envelope.ts';
import { EXPECTED_VERSION, type SayReply } from '@impound/contracts/say.ts';
import type { Msg } from '@nats-io/transport-node';
import { SpanKind } from '@opentelemetry/api';
import { messageOf } from './fault.ts';
import { measuresOf } from './metrics.ts';
import { answersToInbox } from './reply.ts';
import { ATTRIBUTE, LABEL, METRICS } from './semantics.ts';
import type { House } from './service.ts';
import { spanFor } from './span.ts';

/** One say as it came in: raw bytes, and what the subject and the headers claim. */
export interface Incoming {
  /** Who says it: the bus lets nobody else say it there. */
  readonly service: string;
  readonly tenant: string;
  readonly noun: string;
  readonly verb: string;
  readonly bytes: Uint8Array;
  readonly expectedVersion: number | undefined;
  answer(reply: SayReply): void;
}

/**
 * The ledger's door: every say of every service. A message that cannot be one is answered as
 * invalid here and goes no further. Ends with the signal.
 */
export function openDoor(
  house: House,
  come: (incoming: Incoming) => void,
  signal: AbortSignal,
): void {
  const subscription = house.connection.subscribe('impound.v1.say.*.*.*.*', {
    queue: 'ledger',
    callback: (error, message) => {
      const { log } = house;
      if (error !== null) return log.error('no say is heard', { because: messageOf(error) });
      if (answersToInbox(message)) return takeIn(message, house.service, come);
      log.warn('say whose answer is wanted elsewhere', { subject: message.subject });
    },
  });
  signal.addEventListener('abort', () => subscription.unsubscribe(), { once: true });
}

function takeIn(message: Msg, ledger: string, come: (incoming: Incoming) => void): void {
  const [, , , service = '', tenant = '', noun = '', verb = ''] = message.subject.split('.');
  const expected = message.headers?.get(EXPECTED_VERSION);
  const ended = recording(ledger, `${noun}.${verb}`, message.headers?.get('traceparent'));
  const answer = (reply: SayReply) => {
    ended(reply.ok ? 'ok' : reply.refusal);
    message.respond(JSON.stringify(reply));
  };
  const { data: bytes } = message;
  const because = faultOf(bytes, expected);
  const expectedVersion = expected ? Number(expected) : undefined;
  if (because !== undefined) answer({ ok: false, refusal: 'invalid', because, version: 0 });
  else come({ service, tenant, noun, verb, bytes, expectedVersion, answer });
}

function faultOf(bytes: Uint8Array, expected: string | undefined): string | undefined {
  if (bytes.length > EVENT_BYTES_MAX) {
    return `an event has at most ${EVENT_BYTES_MAX} bytes, not ${bytes.length}`;
  }
  if (expected && !/^\d{1,9}$/.test(expected)) return `${EXPECTED_VERSION} is no version`;
  return undefined;
}

/** From a say that came in to its answer, in a span and in a metric. */
function recording(service: string, what: string, parent: string | undefined) {
  const startedAt = performance.now();
  const span = spanFor(parent, { service, name: `record ${what}`, kind: SpanKind.SERVER });
  return (outcome: string): void => {
    measuresOf(service).timed(METRICS.recorded, startedAt, { [LABEL.outcome]: outcome });
    span?.setAttribute(ATTRIBUTE.outcome, outcome).end();
  };
}
