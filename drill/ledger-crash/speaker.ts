// SPDX-License-Identifier: Apache-2.0
import { canonical } from '@impound/contracts/canonical.ts';
import { type DataOf, type EventContract, saySubject } from '@impound/contracts/event.ts';
import { EXPECTED_VERSION, SayReply } from '@impound/contracts/say.ts';
import { timeOf } from '@impound/contracts/time.ts';
import { newId } from '@impound/runtime/ids.ts';
import { wait } from '@impound/runtime/wait.ts';
import { headers, type NatsConnection } from '@nats-io/transport-node';

/** An event as bytes that are sent again and again until somebody answers. */
export interface Speech {
  readonly id: string;
  readonly subject: string;
  readonly bytes: Uint8Array;
  readonly expectedVersion: number | undefined;
}

/** One who says events and keeps every answer, also those that come late or twice. */
export interface Speaker {
  /** Ids of all that was said. */
  readonly said: ReadonlySet<string>;
  /** Every answer to each id, in the order they came. */
  readonly answers: ReadonlyMap<string, readonly SayReply[]>;
  /** Says it until it is answered, and then gives the newest answer. */
  say(speech: Speech, signal: AbortSignal): Promise<SayReply>;
}

const TENANT = 'default';
const ANSWERS = '_INBOX_drill';
/** Nobody answered for so long: it is said again. */
const AGAIN_MS = 400;

/** Makes an event of this contract, as its service would say it. */
export function speechOf<C extends EventContract>(
  service: string,
  contract: C,
  of: { readonly acq: string; readonly data: DataOf<C>; readonly expectedVersion?: number },
): Speech {
  const id = newId();
  const event = {
    specversion: '1.0',
    id,
    source: `/impound/${service}/${service}-1`,
    type: contract.type,
    subject: of.acq,
    time: timeOf(Date.now()),
    datacontenttype: 'application/json',
    tenant: TENANT,
    data: of.data,
  };
  return {
    id,
    subject: saySubject(service, TENANT, contract.type),
    bytes: Buffer.from(canonical(event), 'utf8'),
    expectedVersion: of.expectedVersion,
  };
}

/** Opens a speaker; all that comes back to it is kept for as long as the connection is open. */
export function openSpeaker(connection: NatsConnection): Speaker {
  const said = new Set<string>();
  const answers = new Map<string, SayReply[]>();
  const waiting = new Map<string, () => void>();
  connection.subscribe(`${ANSWERS}.*`, {
    callback: (_error, message) => {
      // Where nobody listens the server says so, with nothing in it.
      if (message.data.length === 0) return;
      const id = message.subject.slice(ANSWERS.length + 1);
      const reply = SayReply.parse(JSON.parse(message.string()));
      answers.set(id, [...(answers.get(id) ?? []), reply]);
      waiting.get(id)?.();
    },
  });
  return {
    said,
    answers,
    say: async ({ id, subject, bytes, expectedVersion }, signal) => {
      said.add(id);
      const before = answers.get(id)?.length ?? 0;
      const carried = headers();
      if (expectedVersion !== undefined) carried.set(EXPECTED_VERSION, String(expectedVersion));
      for (;;) {
        signal.throwIfAborted();
        const come = Promise.withResolvers<void>();
        waiting.set(id, come.resolve);
        connection.publish(subject, bytes, { reply: `${ANSWERS}.${id}`, headers: carried });
        await Promise.race([come.promise, wait(AGAIN_MS, signal)]);
        const answered = answers.get(id) ?? [];
        if (answered.length > before) return answered.at(-1) as SayReply;
      }
    },
  };
}
