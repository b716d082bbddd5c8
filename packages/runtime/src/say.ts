// SPDX-License-Identifier: Apache-2.0
import { canonical } from '@impound/contracts/canonical.ts';
import { type Envelope, EVENT_BYTES_MAX, serviceOf } from '@impound/contracts/envelope.ts';
import { type DataOf, type EventContract, saySubject } from '@impound/contracts/event.ts';
import { EXPECTED_VERSION, SayReply } from '@impound/contracts/say.ts';
import { timeOf } from '@impound/contracts/time.ts';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import { jsonOf } from './ask.ts';
import { becauseOf, messageOf, Never } from './fault.ts';
import type { Log } from './log.ts';
import { type Measures, measuresOf } from './metrics.ts';
import { unlessOutage } from './outage.ts';
import { LABEL, METRICS } from './semantics.ts';
import { tracedSay } from './trace.ts';
import { backoffMs, wait } from './wait.ts';

/** Something to be said, without where and why: the runtime knows those. */
export interface Said<C extends EventContract = EventContract> {
  readonly contract: C;
  readonly data: DataOf<C>;
}

/** What a handler returns. */
export function say<C extends EventContract>(contract: C, data: DataOf<C>): Said<C> {
  return { contract, data };
}

/** An event on its way to the ledger. */
export interface Saying<C extends EventContract = EventContract> extends Said<C> {
  readonly id: string;
  readonly tenant: string;
  readonly acquisitionId: string;
  readonly causeId?: string | undefined;
  /** The leaf hash of the cause's entry, of the bytes that were heard. */
  readonly causeHash?: string | undefined;
  readonly traceparent?: string | undefined;
  /** The chain's version it is meant to follow; left out: whatever it is. */
  readonly expectedVersion?: number | undefined;
}

/**
 * Says one event and goes on when the ledger has committed or refused it. Says it again for as long
 * as nobody answers: an event is never given up, only the signal ends it, with its own reason and
 * once the answer to what was sent last has come or is overdue. Throws Never where the event fits
 * no contract or is too large; nothing was sent then.
 */
export type SayNow = <C extends EventContract>(
  saying: Saying<C>,
  signal: AbortSignal,
) => Promise<SayReply>;

const SAY_MS_MAX = 5_000;

/** `source` is what the envelope names: /impound/<service>/<worker>. */
export function sayer(connection: NatsConnection, source: string, log?: Pick<Log, 'warn'>): SayNow {
  const service = serviceOf(source);
  const measures = measuresOf(service);
  return async (saying, signal) => {
    const { contract, id, acquisitionId, traceparent: inherited } = saying;
    const { type, begins = false } = contract;
    const startedAt = performance.now();
    const of = { service, type, begins, id, acquisitionId, inherited };
    const reply = await tracedSay(of, (traceparent) => {
      const bytes = eventBytes({ ...saying, traceparent }, source);
      const sending = { service, saying, bytes, traceparent, log, measures };
      return sayUntilAnswered(connection, sending, signal);
    });
    const outcome = reply.ok ? 'ok' : reply.refusal;
    measures.timed(METRICS.say, startedAt, { [LABEL.outcome]: outcome });
    return reply;
  };
}

interface Sending {
  readonly service: string;
  readonly saying: Saying;
  readonly bytes: Uint8Array;
  readonly traceparent: string | undefined;
  readonly log: Pick<Log, 'warn'> | undefined;
  readonly measures: Measures;
}

async function sayUntilAnswered(
  connection: NatsConnection,
  { service, saying, bytes, traceparent, log, measures }: Sending,
  signal: AbortSignal,
): Promise<SayReply> {
  const { type } = saying.contract;
  const subject = saySubject(service, saying.tenant, type);
  const carried = headers();
  if (traceparent !== undefined) carried.set('traceparent', traceparent);
  if (saying.expectedVersion !== undefined) {
    carried.set(EXPECTED_VERSION, String(saying.expectedVersion));
  }
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    const request = { timeout: SAY_MS_MAX, headers: carried };
    const answered = await unlessOutage(connection, connection.request(subject, bytes, request))
      .then(({ data }) => SayReply.parse(jsonOf(data)))
      .catch((error: unknown) => ({ because: becauseOf(error) }));
    if ('ok' in answered) return answered;
    measures.count(METRICS.unanswered);
    if (worthTelling(attempt)) {
      log?.warn('nobody records what is said', { type, id: saying.id, attempt, ...answered });
    }
    await wait(backoffMs(attempt), signal);
  }
}

/** The third time (a ledger that starts again is no news), and ever more seldom after it. */
function worthTelling(attempt: number): boolean {
  return attempt > 2 && Number.isInteger(Math.log2(attempt + 1));
}

/** An event as it is sent. Throws Never where it fits no contract or is too large. */
export function eventBytes(saying: Saying, source: string): Uint8Array {
  const checked = saying.contract.shape.safeParse(saying.data);
  if (!checked.success) {
    throw new Never('unsayable', `${saying.contract.type}: ${checked.error.message}`);
  }
  const event: Envelope = {
    specversion: '1.0',
    id: saying.id as Envelope['id'],
    source,
    type: saying.contract.type,
    subject: saying.acquisitionId as Envelope['subject'],
    time: timeOf(Date.now()),
    datacontenttype: 'application/json',
    tenant: saying.tenant as Envelope['tenant'],
    causationid: saying.causeId as Envelope['causationid'],
    traceparent: saying.traceparent,
    data: checked.data as Envelope['data'],
  };
  const bytes = canonicalBytes(event);
  if (bytes.length > EVENT_BYTES_MAX) {
    throw new Never(
      'event-too-large',
      `${event.type}: ${bytes.length} of ${EVENT_BYTES_MAX} bytes`,
    );
  }
  return bytes;
}

function canonicalBytes(event: Envelope): Uint8Array {
  try {
    return Buffer.from(canonical(event), 'utf8');
  } catch (cause) {
    throw new Never('unsayable', `${event.type}: ${messageOf(cause)}`, { cause });
  }
}
