// SPDX-License-Identifier: Apache-2.0
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { fromBase64 } from './base64.ts';
import { ProofFault } from './proof-fault.ts';

/** What a key signs: the text of a note, or a checkpoint that a witness saw and when. */
export const KEY_TYPES = { note: 0x01, cosignature: 0x04 } as const;
export type KeyType = (typeof KEY_TYPES)[keyof typeof KEY_TYPES];

/** A verifier key of C2SP signed-note: an Ed25519 public key under a name. */
export interface Vkey {
  readonly name: string;
  readonly type: KeyType;
  /** The 32 bytes of RFC 8032. */
  readonly key: Buffer;
  /** The 4 bytes that signatures are found by; others may share them. */
  readonly id: Buffer;
}

const NAME_BYTES_MAX = 1_024;
const KEY_BYTES = 32;
const ID_HEX = /^[0-9a-f]{8}$/;
const SPACE_OR_CONTROL = /[\p{White_Space}\p{Cc}+]/u;
/** SubjectPublicKeyInfo of an Ed25519 key up to the key itself (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** Whether a key may have this name: not empty, no space, no control character, no plus. */
export function isKeyName(name: string): boolean {
  const short = name.length > 0 && Buffer.byteLength(name) <= NAME_BYTES_MAX;
  return short && name.isWellFormed() && !SPACE_OR_CONTROL.test(name);
}

/** A key under a name. Throws ProofFault `key-malformed`. */
export function vkey(name: string, type: KeyType, key: Uint8Array): Vkey {
  if (!isKeyName(name)) throw malformed('a key name has no spaces, no plus and is not empty');
  if (key.length !== KEY_BYTES) throw malformed(`an Ed25519 key has ${KEY_BYTES} bytes`);
  const bytes = Buffer.from(key);
  const hash = createHash('sha256').update(`${name}\n`).update(Uint8Array.of(type)).update(bytes);
  return { name, type, key: bytes, id: hash.digest().subarray(0, 4) };
}

/** `<name>+<id in hex>+<base64 of type and key>`. */
export function formatVkey({ name, type, key, id }: Vkey): string {
  const material = Buffer.concat([Uint8Array.of(type), key]).toString('base64');
  return `${name}+${id.toString('hex')}+${material}`;
}

/** Reads a verifier key. Throws ProofFault `key-malformed`, also where its id is not its own. */
export function parseVkey(text: string): Vkey {
  if (text.length > 2 * NAME_BYTES_MAX) throw malformed('too long');
  const first = text.indexOf('+');
  // Base64 has plus signs too: only the first two part the text.
  const second = text.indexOf('+', first + 1);
  if (first < 0 || second < 0) throw malformed('a verifier key is <name>+<id>+<key>');
  const id = text.slice(first + 1, second);
  const material = fromBase64(text.slice(second + 1));
  if (!ID_HEX.test(id) || material === undefined) throw malformed('its id or its key is none');
  const type = Object.values(KEY_TYPES).find((one) => one === material[0]);
  if (type === undefined) throw malformed('it is neither Ed25519 (1) nor cosignature/v1 (4)');
  const known = vkey(text.slice(0, first), type, material.subarray(1));
  if (known.id.toString('hex') !== id) throw malformed('its id is not that of its name and key');
  return known;
}

/** The key as `node:crypto` takes it. */
export function publicKey(key: Uint8Array): KeyObject {
  return createPublicKey({
    key: Buffer.concat([SPKI_PREFIX, key]),
    format: 'der',
    type: 'spki',
  });
}

/** The 32 bytes of an Ed25519 key, private or public. Throws ProofFault `key-malformed`. */
export function rawPublicKey(key: KeyObject): Buffer {
  if (key.asymmetricKeyType !== 'ed25519') throw malformed('it is no Ed25519 key');
  const open = key.type === 'private' ? createPublicKey(key) : key;
  return open.export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX.length);
}

function malformed(why: string): ProofFault {
  return new ProofFault('key-malformed', `no verifier key: ${why}`);
}
