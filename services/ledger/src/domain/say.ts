// SPDX-License-Identifier: Apache-2.0
import { canonical } from '@impound/contracts/canonical.ts';
import { Envelope, serviceOf } from '@impound/contracts/envelope.ts';
import { type EventContract, nounVerb } from '@impound/contracts/event.ts';
import { millisecondsOf, timeOf } from '@impound/contracts/time.ts';
import { contractOf, maySay } from './contracts.ts';

/** What came through the door: where it was said, and the bytes. */
export interface Said {
  /** Who says it, as the bus knows. */
  readonly service: string;
  readonly tenant: string;
  readonly noun: string;
  readonly verb: string;
  readonly bytes: Uint8Array;
  readonly expectedVersion: number | undefined;
}

/** An event that fits its contract and may be said by whoever says it. */
export interface Say {
  readonly event: Envelope;
  readonly contract: EventContract;
  /** The canonical text, exactly as it came. */
  readonly text: string;
  readonly expectedVersion: number | undefined;
}

/** Why something is no event that can be recorded, whatever the chain says. */
export interface Unsayable {
  readonly refusal: 'invalid' | 'forbidden';
  readonly because: string;
}

/** Reads one say by itself: form, shape and speaker. The chain is asked later. */
export function readSay(said: Said): Say | Unsayable {
  const text = textOf(said.bytes);
  if (text === undefined) return invalid('an event is UTF-8');
  const value = canonicalValue(text);
  if (value === undefined) return invalid('an event is canonical JSON (RFC 8785)');
  const envelope = Envelope.safeParse(value);
  if (!envelope.success) return invalid(`no envelope: ${envelope.error.message}`);
  const event = envelope.data;
  const contract = contractOf(event.type);
  if (contract === undefined) return invalid(`no event is called ${event.type}`);
  const data = contract.shape.safeParse(event.data);
  if (!data.success) return invalid(`no ${event.type}: ${data.error.message}`);
  const misplaced = misplacedIn(event, said);
  if (misplaced !== undefined) return invalid(misplaced);
  const service = serviceOf(event.source);
  if (service !== said.service) {
    return { refusal: 'forbidden', because: `${said.service} is not ${service}` };
  }
  if (!maySay(service, event.type)) {
    return { refusal: 'forbidden', because: `${service} does not say ${event.type}` };
  }
  return { event, contract, text, expectedVersion: said.expectedVersion };
}

/** Whether what was read is an event. */
export function isSay(read: Say | Unsayable): read is Say {
  return 'event' in read;
}

function invalid(because: string): Unsayable {
  return { refusal: 'invalid', because };
}

function misplacedIn(event: Envelope, said: Said): string | undefined {
  const [noun, verb] = nounVerb(event.type);
  if (event.tenant !== said.tenant) return 'the subject names another tenant than the event';
  if (noun !== said.noun || verb !== said.verb) return 'the subject names another event';
  const ids = [event.id, event.subject, event.causationid ?? ''];
  if (ids.some((id) => id !== id.toLowerCase())) return 'ids are lower-case';
  if (!isMoment(event.time)) return `time ${event.time} does not exist, or is before 1970`;
  return undefined;
}

/** Whether a time of the right form is one: no 30th of February, no 25th hour. */
function isMoment(time: string): boolean {
  const milliseconds = millisecondsOf(time);
  if (Number.isNaN(milliseconds) || milliseconds < 0) return false;
  return timeOf(milliseconds).slice(0, -4) === time.slice(0, -4);
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function canonicalValue(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return canonical(value) === text ? value : undefined;
  } catch {
    return undefined;
  }
}
