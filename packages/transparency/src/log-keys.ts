// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { openCheckpoint } from './checkpoint.ts';
import { sha256 } from './hash.ts';
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
  /** The log whose place this one takes, for its first entry. */
  readonly succeeds?: Succession | undefined;
  readonly previous: Partial<Record<(typeof ROLES)[number], readonly Signer[]>>;
}

/** How a log ended, as a person has put it on record, for the one that takes its place. */
export interface Succession {
  /** The last checkpoint of the log before, as it is known outside of its database. */
  readonly note: string;
  /** How many of its leaves are still kept: those up to the size in the note are lost. */
  readonly held: number;
  readonly orderedBy: string;
  readonly because: string;
  /** By the checkpoint key of the log before, over successorText(); base64. */
  readonly vouched: string;
}

/** What the key of a log signs of the log that takes its place. */
export function successorText(
  succession: Omit<Succession, 'vouched'>,
  next: { readonly origin: string; readonly checkpoint: Pick<Signer, 'publicKey'> },
): string {
  const note = sha256(Buffer.from(succession.note, 'utf8')).toString('hex');
  const key = next.checkpoint.publicKey.toString('base64');
  return `impound.dev/v1/log-succession\n${note}\n${succession.held}\n${next.origin}\n${key}\n`;
}

/**
 * The secret of a log that takes the place of another one: a new name and new keys, for which the
 * one before vouches. Throws ProofFault where the note is none that the log before has signed, or
 * tells of fewer leaves than were held.
 */
export async function succeedingLogKeys(
  secret: string,
  origin: string,
  succession: Omit<Succession, 'vouched'>,
): Promise<string> {
  const before = readLogKeys(secret);
  const known = openCheckpoint(Buffer.from(succession.note), [headSigners(before).own.vkey]);
  if (origin === before.origin) throw malformed('the log that begins needs another name');
  if (BigInt(succession.held) > known.size) throw malformed('it held more than was ever signed');
  const made = newLogKeys(origin);
  const message = Buffer.from(successorText(succession, readLogKeys(made)));
  const vouched = Buffer.from(await before.checkpoint.sign(message)).toString('base64');
  return written({ ...partsOf(made), succeeds: { ...succession, vouched } });
}

const ROLES = ['checkpoint', 'sigsum', 'submitter'] as const;

/** The secret of a new log: JSON with its origin and a PKCS #8 key in PEM for each role. */
export function newLogKeys(origin: string): string {
  return written({ origin, ...Object.fromEntries(ROLES.map((role) => [role, newKey()])) });
}

function written(parts: Parts): string {
  return `${JSON.stringify(parts, null, 2)}\n`;
}

/**
 * The secret with another key for one role. Those before stay in it: one of them is on record and
 * has to vouch for the new one, and nobody knows here which. Throws ProofFault where the secret is
 * none.
 */
export function rotatedLogKeys(secret: string, role: (typeof ROLES)[number]): string {
  const { [role]: before, previous, ...keys } = partsOf(secret);
  const earlier = isParts(previous) ? previous : {};
  const kept = [before, ...listOf(earlier[role])];
  return written({ ...keys, [role]: newKey(), previous: { ...earlier, [role]: kept } });
}

/** One key, as older secrets have it, or several. */
function listOf(kept: unknown): readonly unknown[] {
  return kept === undefined ? [] : [kept].flat();
}

function newKey(): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  return privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
}

/** Reads the secret of a log. Throws ProofFault `key-malformed`, which repeats nothing of it. */
export function readLogKeys(secret: string): LogKeys {
  const { origin, previous, succeeds, ...keys } = partsOf(secret);
  if (typeof origin !== 'string' || !isKeyName(origin)) throw malformed('its origin is no name');
  const signer = (role: string) => signerOf(keys[role], role);
  const earlier = isParts(previous) ? previous : {};
  const before = Object.entries(earlier).map(([role, kept]) => {
    return [role, listOf(kept).map((pem) => signerOf(pem, role))];
  });
  return {
    origin,
    // What it says is checked with the first entry that holds it.
    succeeds: succeeds as Succession | undefined,
    checkpoint: signer('checkpoint'),
    sigsum: signer('sigsum'),
    submitter: signer('submitter'),
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
