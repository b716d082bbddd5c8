// SPDX-License-Identifier: Apache-2.0
import { canonical } from '@impound/contracts/canonical.ts';
import { type DataOf, type EventContract, saySubject } from '@impound/contracts/event.ts';
import { WorkerId } from '@impound/contracts/ids.ts';
import { EXPECTED_VERSION, SayReply } from '@impound/contracts/say.ts';
import { timeOf } from '@impound/contracts/time.ts';
import { newId } from '@impound/runtime/ids.ts';
import { type StatementSigner, stated } from '@impound/runtime/statement.ts';
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
/** Nobody answered for so long: it is said again. Some tries later as seldom as services do. */
const AGAIN_MS = 400;
const TRIES_SOON = 10;
const AGAIN_MS_MAX = 5_000;

/** What is said of an acquisition, and because of which entry. */
export interface About<C extends EventContract> {
  readonly acq: string;
  readonly data: DataOf<C>;
  readonly expectedVersion?: number;
  readonly cause?: { readonly id: string; readonly entryHash: string };
}

/** Makes an event of this contract, as its service would say it, without its signature. */
export function speechOf<C extends EventContract>(
  service: string,
  contract: C,
  { acq, data, expectedVersion, cause }: About<C>,
  id: string = newId(),
): Speech {
  const event = {
    specversion: '1.0',
    id,
    source: `/impound/${service}/${nameOf(service)}`,
    type: contract.type,
    subject: acq,
    time: timeOf(Date.now()),
    datacontenttype: 'application/json',
    tenant: TENANT,
    ...(cause === undefined ? {} : { causationid: cause.id }),
    data,
  };
  return {
    id,
    subject: saySubject(service, TENANT, contract.type),
    bytes: Buffer.from(canonical(event), 'utf8'),
    expectedVersion,
  };
}

/** The same under the signature of its service, made as services make it. */
export async function signedSpeechOf<C extends EventContract>(
  service: string,
  contract: C,
  about: About<C>,
  by: { readonly signer: StatementSigner; readonly signal: AbortSignal },
): Promise<Speech> {
  const id = newId();
  const worker = WorkerId.parse(nameOf(service));
  const log = { warn: () => undefined, error: () => undefined };
  const { acq, data, cause } = about;
  const saying = { contract, data, id, tenant: TENANT, acquisitionId: acq, causeId: cause?.id };
  const speaker = { service, worker, log, signer: by.signer };
  const said = await stated(speaker, { ...saying, causeHash: cause?.entryHash }, by.signal);
  return speechOf(service, contract, { ...about, data: said.data as DataOf<C> }, id);
}

function nameOf(service: string): string {
  return `${service}-1`;
}

function againMs(attempt: number): number {
  return attempt <= TRIES_SOON ? AGAIN_MS : AGAIN_MS_MAX;
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
      for (let attempt = 1; ; attempt++) {
        signal.throwIfAborted();
        const come = Promise.withResolvers<void>();
        waiting.set(id, come.resolve);
        connection.publish(subject, bytes, { reply: `${ANSWERS}.${id}`, headers: carried });
        await Promise.race([come.promise, wait(againMs(attempt), signal)]);
        const answered = answers.get(id) ?? [];
        if (answered.length > before) return answered.at(-1) as SayReply;
      }
    },
  };
}
