// SPDX-License-Identifier: Apache-2.0
import { EVENT_BYTES_MAX } from '@impound/contracts/envelope.ts';
import { EXPECTED_VERSION, type SayReply } from '@impound/contracts/say.ts';
import { messageOf } from './fault.ts';
import type { House } from './service.ts';

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
      const answer = (reply: SayReply) => void message.respond(JSON.stringify(reply));
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
