// SPDX-License-Identifier: Apache-2.0
import { Entry } from '@impound/contracts/entry.ts';
import { type Envelope, serviceOf } from '@impound/contracts/envelope.ts';
import { EVENTS } from '@impound/contracts/events.ts';
import { SignerRegisteredV1 } from '@impound/contracts/signer/registered.v1.ts';
import { SignerRetiredV1 } from '@impound/contracts/signer/retired.v1.ts';
import {
  hasStatement,
  type ReadStatement,
  readStatement,
  signedBy,
} from '@impound/contracts/statement-check.ts';
import { signedText } from '@impound/transparency/signed-text.ts';
import { publicKey } from '@impound/transparency/vkey.ts';
import { isFoldable } from './entry-data.ts';

const SIGNED = new Map(
  EVENTS.flatMap((contract) => (contract.signs === undefined ? [] : [[contract.type, contract]])),
);

/** An event that is to be signed by who says it, as an entry of a chain holds it. */
export interface Stated {
  readonly acqSeq: number;
  readonly event: Envelope;
  readonly service: string;
  /** Undefined: it is not signed at all; a text: why its statement is not about it. */
  readonly read: ReadStatement | string | undefined;
}

/** What is to be signed in an entry; undefined where nothing is, or it is no entry. */
export function statedIn(bytes: Buffer): Stated | undefined {
  const entry = entryIn(bytes);
  const contract = entry && SIGNED.get(entry.event.type);
  if (entry === undefined || contract === undefined || !isFoldable(entry.event)) return undefined;
  const { acqSeq, event } = entry;
  const read = hasStatement(event) ? readStatement(event, contract, signedText) : undefined;
  return { acqSeq, event, service: serviceOf(event.source), read };
}

/** The entry in these bytes; undefined where there is none. */
export function entryIn(bytes: Buffer): Entry | undefined {
  try {
    return Entry.parse(JSON.parse(bytes.toString('utf8')));
  } catch {
    return undefined;
  }
}

/** A change of who signs for a service, as the log has it on record. */
export interface SignerChange {
  readonly service: string;
  readonly publicKey: string;
  /** Undefined: it signs nothing any more. */
  readonly registered?: SignerRegisteredV1;
}

/** What an entry of the log's own chain says of signers; undefined: nothing. */
export function signerChangeIn(bytes: Buffer): SignerChange | undefined {
  const { type, data } = entryIn(bytes)?.event ?? {};
  if (type === SignerRegisteredV1.type) {
    const registered = SignerRegisteredV1.shape.safeParse(data).data;
    return registered && { ...registered, registered };
  }
  if (type === SignerRetiredV1.type) return SignerRetiredV1.shape.safeParse(data).data;
  return undefined;
}

/** A file of custody/statements/. */
export interface StatementFile {
  readonly name: string;
  readonly bytes: Buffer;
}

const NUMBER_DIGITS = 6;

/** The name, without its ending, of what is kept of the statement in an entry. */
export function statementName(acqSeq: number): string {
  return `statements/${String(acqSeq).padStart(NUMBER_DIGITS, '0')}`;
}

/** The name of an entry that says who signs, counted from 1. */
export function signerName(at: number): string {
  return `signers/${String(at).padStart(NUMBER_DIGITS, '0')}.json`;
}

/**
 * What strangers need to check the statement in an entry: what was said, the signature over it, and
 * the key, where it is one of these.
 */
export function statementFiles(
  { acqSeq, read }: Stated,
  keys: readonly string[],
): readonly StatementFile[] {
  if (typeof read !== 'object') return [];
  const name = statementName(acqSeq);
  const own = signedBy(read, keys, signedText);
  const signature = own?.sig ?? read.statement.signatures[0]?.sig ?? '';
  const key = own && publicKey(Buffer.from(own.publicKey, 'base64'));
  const pem = key?.export({ format: 'pem', type: 'spki' });
  return [
    { name: `${name}.json`, bytes: Buffer.from(read.text, 'utf8') },
    { name: `${name}.sig`, bytes: Buffer.from(signature, 'base64') },
    ...(pem ? [{ name: `${name}.pem`, bytes: Buffer.from(String(pem)) }] : []),
  ];
}
