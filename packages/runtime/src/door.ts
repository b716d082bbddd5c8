// SPDX-License-Identifier: Apache-2.0
import { EVENT_BYTES_MAX } from '@impound/contracts/envelope.ts';
import { EXPECTED_VERSION, type SayReply } from '@impound/contracts/say.ts';
import { SpanKind } from '@opentelemetry/api';
import { messageOf } from './fault.ts';
import { measuresOf } from './metrics.ts';
import { ATTRIBUTE, LABEL, METRICS } from './semantics.ts';
import type { House } from './service.ts';
import { spanFor } from './span.ts';

/** One say as it came in: raw bytes, and what the subject and the headers claim. */
export interface Incoming {
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
  const subscription = house.connection.subscribe('impound.v1.say.*.*.*', {
    queue: 'ledger',
    callback: (error, message) => {
      if (error !== null) {
        return house.log.error('no say is heard', { because: messageOf(error) });
      }
      const [, , , tenant = '', noun = '', verb = ''] = message.subject.split('.');
      const expected = message.headers?.get(EXPECTED_VERSION);
      const ended = recording(
        house.service,
        `${noun}.${verb}`,
        message.headers?.get('traceparent'),
      );
      const answer = (reply: SayReply) => {
        ended(reply.ok ? 'ok' : reply.refusal);
        message.respond(JSON.stringify(reply));
      };
      const refuse = (because: string) =>
        answer({ ok: false, refusal: 'invalid', because, version: 0 });
      if (message.data.length > EVENT_BYTES_MAX) {
        return refuse(`an event has at most ${EVENT_BYTES_MAX} bytes, not ${message.data.length}`);
      }
      if (expected && !/^\d{1,9}$/.test(expected))
        return refuse(`${EXPECTED_VERSION} is no version`);
      come({
        tenant,
        noun,
        verb,
        bytes: message.data,
        expectedVersion: expected ? Number(expected) : undefined,
        answer,
      });
    },
  });
  signal.addEventListener('abort', () => subscription.unsubscribe(), { once: true });
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
