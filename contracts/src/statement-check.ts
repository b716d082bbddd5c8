// SPDX-License-Identifier: Apache-2.0
import { canonical } from './canonical.ts';
import { type Envelope, serviceOf } from './envelope.ts';
import type { EventContract } from './event.ts';
import {
  DATA_SUBJECT,
  type Named,
  Payload,
  preAuthText,
  Statement,
  statedText,
} from './statement.ts';

/** Hashes and signatures, which contracts cannot have by themselves. */
export interface StatementTools {
  /** SHA-256 of a text's UTF-8 bytes, lower-case hex. */
  sha256(text: string): string;
  /** Whether a key has made a signature over a text's UTF-8 bytes; both are base64. */
  isSigned(publicKey: string, text: string, signature: string): boolean;
}

/** A statement that is about its event: what it says, and the text that is signed. */
export interface ReadStatement {
  readonly statement: Statement;
  readonly payload: Payload;
  /** The payload as text. */
  readonly text: string;
}

/** Whether an event has a statement at all, of whatever kind. */
export function hasStatement({ data }: Pick<Envelope, 'data'>): boolean {
  return data['statement'] !== undefined;
}

/** Reads the statement in an event and holds it against that event; a text says what is wrong. */
export function readStatement(
  event: Envelope,
  contract: EventContract,
  tools: Pick<StatementTools, 'sha256'>,
): ReadStatement | string {
  const statement = Statement.safeParse(event.data['statement']);
  if (!statement.success) return 'its statement is no DSSE envelope';
  const text = textIn(statement.data.payload);
  const payload = text === undefined ? undefined : payloadIn(text);
  if (text === undefined || payload === undefined) return 'its statement is none of in-toto';
  const fault = faultOf(payload, event, contract, tools);
  return fault ?? { statement: statement.data, payload, text };
}

function textIn(payload: string): string | undefined {
  try {
    const bytes = Uint8Array.from(atob(payload), (one) => one.charCodeAt(0));
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function payloadIn(text: string): Payload | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return canonical(value) === text ? Payload.parse(value) : undefined;
  } catch {
    return undefined;
  }
}

function faultOf(
  { subject, predicate }: Payload,
  event: Envelope,
  ...[contract, tools]: [EventContract, Pick<StatementTools, 'sha256'>]
): string | undefined {
  const { id, type, acquisitionId, tenant } = predicate.event;
  if (id !== event.id) return `its statement is about the event ${id}`;
  if (acquisitionId !== event.subject) return `its statement is about ${acquisitionId}`;
  if (type !== event.type || tenant !== event.tenant) {
    return `its statement is about ${type} of the tenant ${tenant}`;
  }
  if (predicate.by.service !== serviceOf(event.source)) {
    return `its statement is that of ${predicate.by.service}`;
  }
  if (predicate.cause.id !== event.causationid) return 'its statement names another cause';
  if (predicate.epoch !== event.data['epoch']) return 'its statement is about another epoch';
  return subjectFault(subject, event, contract, tools);
}

function subjectFault(
  subject: Payload['subject'],
  event: Envelope,
  ...[contract, tools]: [EventContract, Pick<StatementTools, 'sha256'>]
): string | undefined {
  const data = { name: DATA_SUBJECT, sha256: tools.sha256(statedText(event.data)) };
  const expected = [data, ...(contract.signs?.(event.data) ?? [])].map(namedText);
  const stated = subject.map(({ name, digest: { sha256 } }) => namedText({ name, sha256 }));
  const other = expected.findIndex((one, at) => one !== stated[at]);
  if (other === 0) return 'its statement is about other data';
  if (other > 0 || stated.length !== expected.length) return 'its statement names other objects';
  return undefined;
}

function namedText({ name, sha256 }: Named): string {
  return `${sha256}  ${name}`;
}

/** A key that has signed a statement, and its signature; both are base64. */
export interface SignedBy {
  readonly publicKey: string;
  readonly sig: string;
}

/** Which of these keys has signed a statement; undefined: none of them. */
export function signedBy(
  { statement, text }: ReadStatement,
  keys: readonly string[],
  tools: Pick<StatementTools, 'isSigned'>,
): SignedBy | undefined {
  const signed = preAuthText(text);
  const pairs = keys.flatMap((publicKey) =>
    statement.signatures.map(({ sig }) => ({ publicKey, sig })),
  );
  return pairs.find(({ publicKey, sig }) => tools.isSigned(publicKey, signed, sig));
}
