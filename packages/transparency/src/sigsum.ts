// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { fromBase64 } from './base64.ts';
import { isSigned } from './note.ts';
import { ProofFault } from './proof-fault.ts';
import { KEY_TYPES, type Vkey, vkey } from './vkey.ts';

const TREE_NAME = 'sigsum.org/v1/tree/';
const WITNESS_NAME = 'sigsum.org/v1/witness/';
const LEAF_NAMESPACE = 'sigsum.org/v1/tree-leaf\0';
const HASH_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** Bytes of a leaf of sigsum: checksum, signature, hash of the key. */
export const SIGSUM_LEAF_BYTES: number = HASH_BYTES + SIGNATURE_BYTES + HASH_BYTES;

/** A leaf of sigsum: somebody, known by the hash of a key, has signed a checksum. */
export interface SigsumLeaf {
  readonly checksum: Buffer;
  readonly signature: Buffer;
  readonly keyHash: Buffer;
}

/** SHA-256, by which sigsum names keys and content. */
export function sigsumHash(bytes: Uint8Array): Buffer {
  return hash('sha256', bytes, 'buffer');
}

/** The name and origin of a log in sigsum: it follows from the key, and goes with it. */
export function sigsumVkey(key: Uint8Array): Vkey {
  return vkey(TREE_NAME + sigsumHash(key).toString('hex'), KEY_TYPES.note, key);
}

/** The name under which a witness of sigsum, known by its key alone, signs notes. */
export function sigsumWitnessVkey(key: Uint8Array): Vkey {
  return vkey(WITNESS_NAME + sigsumHash(key).toString('hex'), KEY_TYPES.cosignature, key);
}

/** The checksum in the leaf that vouches for a file: a hash of its hash. */
export function sigsumChecksum(file: Uint8Array): Buffer {
  return sigsumHash(sigsumHash(file));
}

/** What a submitter signs. */
export function sigsumLeafMessage(checksum: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(LEAF_NAMESPACE), checksum]);
}

/** The 128 bytes that are hashed into the tree. */
export function sigsumLeafBytes({ checksum, signature, keyHash }: SigsumLeaf): Buffer {
  return Buffer.concat([checksum, signature, keyHash]);
}

/** Reads the bytes of a leaf. Throws ProofFault `proof-malformed`. */
export function parseSigsumLeaf(bytes: Buffer): SigsumLeaf {
  if (bytes.length !== SIGSUM_LEAF_BYTES) {
    const message = `no leaf of sigsum: it has ${SIGSUM_LEAF_BYTES} bytes`;
    throw new ProofFault('proof-malformed', message);
  }
  return {
    checksum: bytes.subarray(0, HASH_BYTES),
    signature: bytes.subarray(HASH_BYTES, HASH_BYTES + SIGNATURE_BYTES),
    keyHash: bytes.subarray(HASH_BYTES + SIGNATURE_BYTES),
  };
}

/** Whether this submitter has signed this leaf, and for this file. Never throws. */
export function isSigsumLeafOf(leaf: SigsumLeaf, file: Uint8Array, submitter: Uint8Array): boolean {
  const checksum = sigsumChecksum(file);
  const known = leaf.checksum.equals(checksum) && leaf.keyHash.equals(sigsumHash(submitter));
  return known && isSigned(submitter, sigsumLeafMessage(checksum), leaf.signature);
}

const SSH_TYPE = 'ssh-ed25519';
const SSH_LINE_MAX = 1_024;

/** A public key in a line of OpenSSH, which the tools of sigsum read. */
export function sshPublicKey(key: Uint8Array, comment: string): string {
  const strings = [Buffer.from(SSH_TYPE), key].map((bytes) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  });
  return `${SSH_TYPE} ${Buffer.concat(strings).toString('base64')} ${comment}\n`;
}

/** The key in such a line, whatever its comment. Throws ProofFault `key-malformed`. */
export function sshKeyOf(line: string): Buffer {
  const [type, encoded = ''] = line.trimEnd().split(' ');
  const bytes = type === SSH_TYPE && line.length < SSH_LINE_MAX ? fromBase64(encoded) : undefined;
  const key = bytes?.subarray(-HASH_BYTES);
  if (key !== undefined && sshPublicKey(key, '').split(' ')[1] === encoded) return key;
  throw new ProofFault('key-malformed', `no public key: a line begins with ${SSH_TYPE} and a key`);
}
