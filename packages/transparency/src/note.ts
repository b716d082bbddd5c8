// SPDX-License-Identifier: Apache-2.0
import { type KeyObject, sign, verify } from 'node:crypto';
import { fromBase64 } from './base64.ts';
import { cosignedMessage, readCosignature } from './cosignature.ts';
import { ProofFault } from './proof-fault.ts';
import { isKeyName, KEY_TYPES, publicKey, type Vkey } from './vkey.ts';

/** Bytes of a note with all its signatures. */
export const NOTE_BYTES_MAX = 131_072;
/** Signature lines of a note: as many as every reader must take (C2SP signed-note). */
export const SIGNATURES_MAX = 16;

const SIGNATURE_BYTES = 64;
const ID_BYTES = 4;
const DASH = '\u2014 ';
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const CONTROLS = /[\u0000-\u0009\u000b-\u001f]/;

/** One line below a note: who says to have signed, by which key, and the bytes. */
export interface NoteSignature {
  readonly name: string;
  readonly id: Buffer;
  readonly signature: Buffer;
}

/** A note as it was read; nothing in it is verified. */
export interface Note {
  /** With the newline at its end, without the empty line behind it. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** A signature that a known key has made. */
export interface Verified {
  readonly key: Vkey;
  /** Seconds since 1970 that a witness says to have signed at. */
  readonly time?: bigint;
}

/** Signs notes under one key; whoever keeps the key decides where it signs. */
export interface NoteSigner {
  readonly vkey: Vkey;
  sign(message: Uint8Array): Promise<Uint8Array>;
}

/** Reads a signed note (C2SP signed-note). Throws ProofFault `note-malformed`. */
export function parseNote(bytes: Uint8Array): Note {
  const whole = textOf(bytes);
  const split = whole.lastIndexOf('\n\n');
  if (split < 0) throw malformed('no empty line parts text and signatures');
  const lines = whole.slice(split + 2).split('\n');
  if (lines.pop() !== '') throw malformed('it does not end with a newline');
  if (lines.length === 0) throw malformed('nobody has signed it');
  if (lines.length > SIGNATURES_MAX) throw malformed(`more than ${SIGNATURES_MAX} signatures`);
  return { text: whole.slice(0, split + 1), signatures: lines.map(parseLine) };
}

function textOf(bytes: Uint8Array): string {
  if (bytes.length > NOTE_BYTES_MAX) throw malformed(`more than ${NOTE_BYTES_MAX} bytes`);
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    if (!CONTROLS.test(text)) return text;
  } catch (cause) {
    throw new ProofFault('note-malformed', 'no signed note: not UTF-8', { cause });
  }
  throw malformed('a control character');
}

function parseLine(line: string, at: number): NoteSignature {
  const where = `signature line ${at + 1}`;
  if (!line.startsWith(DASH)) throw malformed(`${where} begins with no em dash and space`);
  const [name = '', encoded = '', ...more] = line.slice(DASH.length).split(' ');
  if (!isKeyName(name) || more.length > 0) throw malformed(`${where}: not a name and a signature`);
  const bytes = fromBase64(encoded);
  if (bytes === undefined || bytes.length <= ID_BYTES) {
    throw malformed(`${where}: its base64 is none or too short`);
  }
  return { name, id: bytes.subarray(0, ID_BYTES), signature: bytes.subarray(ID_BYTES) };
}

/**
 * Verifies what the known keys have signed and leaves out what others have. Throws ProofFault
 * `signature-refused` where a known key's signature is not its own, `signature-missing` where
 * there is none of them.
 */
export function verifyNote(note: Note, keys: readonly Vkey[]): readonly Verified[] {
  const verified = note.signatures.flatMap((one) => {
    const named = keys.filter(({ name, id }) => name === one.name && id.equals(one.id));
    if (named.length === 0) return [];
    const [good] = named.flatMap((key) => verifiedBy(key, note.text, one.signature) ?? []);
    if (good !== undefined) return [good];
    const who = `${one.name} (key ${one.id.toString('hex')})`;
    throw new ProofFault('signature-refused', `the signature of ${who} is not over this text`);
  });
  if (verified.length > 0) return verified;
  throw new ProofFault('signature-missing', 'none of the known keys has signed it');
}

function verifiedBy(key: Vkey, text: string, signature: Buffer): Verified | undefined {
  if (key.type === KEY_TYPES.note) {
    return isSigned(key.key, Buffer.from(text), signature) ? { key } : undefined;
  }
  const read = readCosignature(signature);
  if (read === undefined) return undefined;
  const { time, signature: own } = read;
  return isSigned(key.key, cosignedMessage(time, text), own) ? { key, time } : undefined;
}

/** Whether this Ed25519 key (32 bytes) has signed the message. Never throws. */
export function isSigned(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES) return false;
  try {
    return verify(null, message, publicKey(key), signature);
  } catch {
    return false;
  }
}

/** A signer that holds its key in memory. */
export function noteSigner(vkey: Vkey, privateKey: KeyObject): NoteSigner {
  return { vkey, sign: async (message) => sign(null, message, privateKey) };
}

/** The line of a signature, with its newline. */
export function signatureLine({ name, id }: Pick<Vkey, 'name' | 'id'>, signed: Uint8Array): string {
  return `${DASH}${name} ${Buffer.concat([id, signed]).toString('base64')}\n`;
}

/** Signs a text that ends with a newline: the whole note. */
export async function signNote(text: string, signers: readonly NoteSigner[]): Promise<string> {
  const message = Buffer.from(text);
  const lines = signers.map(async (one) => signatureLine(one.vkey, await one.sign(message)));
  return `${text}\n${(await Promise.all(lines)).join('')}`;
}

function malformed(why: string): ProofFault {
  return new ProofFault('note-malformed', `no signed note: ${why}`);
}
