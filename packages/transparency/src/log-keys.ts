// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { NoteSigner } from './note.ts';
import { ProofFault } from './proof-fault.ts';
import { sigsumVkey } from './sigsum.ts';
import { isKeyName, KEY_TYPES, rawPublicKey, vkey } from './vkey.ts';

/** Signs bytes by one Ed25519 key, wherever that is kept: in memory, in a module, with a KMS. */
export interface Signer {
  /** The 32 bytes of RFC 8032. */
  readonly publicKey: Buffer;
  sign(message: Uint8Array): Promise<Uint8Array>;
}

/** Who signs for a log. */
export interface LogSigners {
  /** The name of the log. */
  readonly origin: string;
  readonly checkpoint: Signer;
  /** Under sigsum's origin, which follows from this key. */
  readonly sigsum: Signer;
  /** The leaves that sigsum keeps of seals. */
  readonly submitter: Signer;
}

/** The signers of a log, and those before them where some have just been changed. */
export interface LogKeys extends LogSigners {
  readonly previous: Partial<Pick<LogSigners, (typeof ROLES)[number]>>;
}

const ROLES = ['checkpoint', 'sigsum', 'submitter'] as const;

/** The secret of a new log: JSON with its origin and a PKCS #8 key in PEM for each role. */
export function newLogKeys(origin: string): string {
  return `${JSON.stringify({ origin, ...Object.fromEntries(ROLES.map((role) => [role, newKey()])) }, null, 2)}\n`;
}

/**
 * The secret with another key for one role. The one before stays in it, to vouch for the new one,
 * until the next rotation. Throws ProofFault where the secret is none.
 */
export function rotatedLogKeys(secret: string, role: (typeof ROLES)[number]): string {
  const { [role]: before, ...keys } = partsOf(secret);
  return `${JSON.stringify({ ...keys, [role]: newKey(), previous: { [role]: before } }, null, 2)}\n`;
}

function newKey(): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  return privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
}

/** Reads the secret of a log. Throws ProofFault `key-malformed`, which repeats nothing of it. */
export function readLogKeys(secret: string): LogKeys {
  const { origin, previous, ...keys } = partsOf(secret);
  if (typeof origin !== 'string' || !isKeyName(origin)) throw malformed('its origin is no name');
  const signer = (from: Parts, role: string) => signerOf(from[role], role);
  const earlier = isParts(previous) ? previous : {};
  const before = Object.keys(earlier).map((role) => [role, signer(earlier, role)]);
  return {
    origin,
    checkpoint: signer(keys, 'checkpoint'),
    sigsum: signer(keys, 'sigsum'),
    submitter: signer(keys, 'submitter'),
    previous: Object.fromEntries(before),
  };
}

type Parts = Readonly<Record<string, unknown>>;

function partsOf(secret: string): Parts {
  try {
    const parts: unknown = JSON.parse(secret);
    if (isParts(parts)) return parts;
  } catch {
    // The parser's own message would repeat a piece of it.
  }
  throw malformed('the keys of the log are no JSON object');
}

function isParts(value: unknown): value is Parts {
  return typeof value === 'object' && value !== null;
}

function signerOf(pem: unknown, role: string): Signer {
  const key = privateKeyOf(pem, role);
  return { publicKey: rawPublicKey(key), sign: async (message) => sign(null, message, key) };
}

function privateKeyOf(pem: unknown, role: string): KeyObject {
  try {
    const key = createPrivateKey(String(pem));
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // Nor does the library's message belong into a log.
  }
  throw malformed(`the key for ${role} is no Ed25519 key in PEM (PKCS #8)`);
}

function malformed(why: string): ProofFault {
  return new ProofFault('key-malformed', why);
}

/** How a log signs a checkpoint: under its own origin, or under the one that sigsum gives it. */
export function headSigners(keys: LogSigners): Readonly<Record<'own' | 'sigsum', NoteSigner>> {
  const { origin, checkpoint, sigsum } = keys;
  return {
    own: { vkey: vkey(origin, KEY_TYPES.note, checkpoint.publicKey), sign: checkpoint.sign },
    sigsum: { vkey: sigsumVkey(sigsum.publicKey), sign: sigsum.sign },
  };
}
