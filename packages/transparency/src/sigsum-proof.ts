// SPDX-License-Identifier: Apache-2.0
import { formatCheckpoint } from './checkpoint.ts';
import { cosignedMessage } from './cosignature.ts';
import { fromDecimal } from './decimal.ts';
import { leafHash } from './hash.ts';
import { isSigned } from './note.ts';
import { PATH_MAX, verifyInclusion } from './proof-check.ts';
import { ProofFault } from './proof-fault.ts';
import {
  isSigsumLeafOf,
  sigsumChecksum,
  sigsumHash,
  sigsumLeafBytes,
  sigsumVkey,
} from './sigsum.ts';

/** A witness's signature under a tree of sigsum; the witness is known by the hash of its key. */
export interface SigsumCosignature {
  readonly keyHash: Buffer;
  readonly time: bigint;
  readonly signature: Buffer;
}

/** A proof of sigsum, version 2: a submitter signed a file, and a log has that. */
export interface SigsumProof {
  readonly logKeyHash: Buffer;
  readonly leaf: { readonly keyHash: Buffer; readonly signature: Buffer };
  readonly size: bigint;
  readonly root: Buffer;
  /** The log's, over the checkpoint under the origin that sigsum gives it. */
  readonly signature: Buffer;
  readonly cosignatures: readonly SigsumCosignature[];
  readonly index: bigint;
  readonly path: readonly Buffer[];
}

const PROOF_CHARACTERS_MAX = 32_768;
const COSIGNATURES_MAX = 32;
const HASH_BYTES = 32;
const SIGNATURE_BYTES = 64;
const HEX = /^(?:[0-9a-f]{2})*$/;

/** The text of a proof file. A tree of one leaf has no third part but its index. */
export function formatSigsumProof(proof: SigsumProof): string {
  const { logKeyHash, leaf, size, root, signature, cosignatures, index, path } = proof;
  const head = [
    'version=2',
    `log=${hex(logKeyHash)}`,
    `leaf=${hex(leaf.keyHash)} ${hex(leaf.signature)}`,
  ];
  const tree = [`size=${size}`, `root_hash=${hex(root)}`, `signature=${hex(signature)}`];
  const seen = cosignatures.map(
    (one) => `cosignature=${hex(one.keyHash)} ${one.time} ${hex(one.signature)}`,
  );
  const inclusion = [`leaf_index=${index}`, ...path.map((one) => `node_hash=${hex(one)}`)];
  const parts = [head, [...tree, ...seen], size === 1n ? [] : inclusion];
  return `${parts
    .filter((part) => part.length > 0)
    .map((part) => part.join('\n'))
    .join('\n\n')}\n`;
}

/** Reads a proof file. Throws ProofFault `proof-malformed`. */
export function parseSigsumProof(text: string): SigsumProof {
  if (text.length > PROOF_CHARACTERS_MAX) throw malformed('too long');
  const [head = '', tree = '', inclusion, ...more] = text.replace(/\n$/, '').split('\n\n');
  if (more.length > 0) throw malformed('it has more than three parts');
  const about = fields(head);
  about.only('version', '2');
  const logKeyHash = hash(about.one('log'), HASH_BYTES);
  const [leafKey = '', leafSignature = '', ...rest] = about.one('leaf').split(' ');
  if (rest.length > 0) throw malformed('its leaf has more than a key and a signature');
  about.end();
  const leaf = {
    keyHash: hash(leafKey, HASH_BYTES),
    signature: hash(leafSignature, SIGNATURE_BYTES),
  };
  return { logKeyHash, leaf, ...headOf(fields(tree)), ...inclusionOf(inclusion) };
}

function headOf(tree: Fields): Pick<SigsumProof, 'size' | 'root' | 'signature' | 'cosignatures'> {
  const size = decimal(tree.one('size'));
  const root = hash(tree.one('root_hash'), HASH_BYTES);
  const signature = hash(tree.one('signature'), SIGNATURE_BYTES);
  const cosignatures = tree.many('cosignature', COSIGNATURES_MAX).map((value) => {
    const [key = '', time = '', signed = '', ...rest] = value.split(' ');
    if (rest.length > 0) throw malformed('a cosignature is a key, a time and a signature');
    return {
      keyHash: hash(key, HASH_BYTES),
      time: decimal(time),
      signature: hash(signed, SIGNATURE_BYTES),
    };
  });
  tree.end();
  return { size, root, signature, cosignatures };
}

function inclusionOf(part: string | undefined): Pick<SigsumProof, 'index' | 'path'> {
  if (part === undefined) return { index: 0n, path: [] };
  const inclusion = fields(part);
  const index = decimal(inclusion.one('leaf_index'));
  const path = inclusion.many('node_hash', PATH_MAX).map((value) => hash(value, HASH_BYTES));
  inclusion.end();
  return { index, path };
}

interface Fields {
  one(name: string): string;
  only(name: string, value: string): void;
  many(name: string, max: number): readonly string[];
  end(): void;
}

/** Lines of `name=value`, taken in their order. */
function fields(part: string): Fields {
  const lines = part.split('\n');
  let at = 0;
  const next = (name: string) => {
    const line = lines[at];
    if (line === undefined || !line.startsWith(`${name}=`)) return undefined;
    at += 1;
    return line.slice(name.length + 1);
  };
  const one = (name: string) => {
    const value = next(name);
    if (value === undefined) throw malformed(`${name} is missing`);
    return value;
  };
  return {
    one,
    only: (name, value) => {
      if (one(name) !== value) throw malformed(`${name} is not ${value}`);
    },
    many: (name, max) => {
      const values: string[] = [];
      for (let value = next(name); value !== undefined; value = next(name)) values.push(value);
      if (values.length > max) throw malformed(`more than ${max} of ${name}`);
      return values;
    },
    end: () => {
      if (at < lines.length) throw malformed(`line ${at + 1} of a part does not belong there`);
    },
  };
}

function hash(text: string, bytes: number): Buffer {
  if (text.length !== 2 * bytes || !HEX.test(text)) throw malformed(`not ${bytes} bytes in hex`);
  return Buffer.from(text, 'hex');
}

function decimal(text: string): bigint {
  const value = fromDecimal(text);
  if (value === undefined) throw malformed('a number is none');
  return value;
}

function hex(bytes: Buffer): string {
  return bytes.toString('hex');
}

/** Who must have signed what a proof says. Keys are the 32 bytes of Ed25519. */
export interface SigsumTrust {
  readonly submitter: Uint8Array;
  readonly log: Uint8Array;
  readonly witnesses: readonly Uint8Array[];
}

/**
 * Verifies a proof about a file: the submitter's signature, the log's, the place in the tree.
 * Gives the known witnesses whose cosignatures hold. Throws ProofFault.
 */
export function verifySigsumProof(
  proof: SigsumProof,
  file: Uint8Array,
  trust: SigsumTrust,
): readonly SigsumCosignature[] {
  const leaf = { ...proof.leaf, checksum: sigsumChecksum(file) };
  if (!isSigsumLeafOf(leaf, file, trust.submitter)) {
    throw new ProofFault('signature-refused', 'the submitter has not signed this file');
  }
  const { size, root, index, path } = proof;
  const { name: origin } = sigsumVkey(trust.log);
  const text = formatCheckpoint({ origin, size, root });
  const own = proof.logKeyHash.equals(sigsumHash(trust.log));
  if (!own || !isSigned(trust.log, Buffer.from(text), proof.signature)) {
    throw new ProofFault('signature-refused', 'the log has not signed this size and root');
  }
  verifyInclusion({ index, size, root, path, leaf: leafHash(sigsumLeafBytes(leaf)) });
  return proof.cosignatures.filter((one) => holds(one, text, trust.witnesses));
}

/** One of a witness that is not known says nothing; one of a known witness must be its own. */
function holds(one: SigsumCosignature, text: string, witnesses: readonly Uint8Array[]): boolean {
  const key = witnesses.find((witness) => sigsumHash(witness).equals(one.keyHash));
  if (key === undefined) return false;
  if (isSigned(key, cosignedMessage(one.time, text), one.signature)) return true;
  throw new ProofFault('signature-refused', 'the cosignature of a known witness is not its own');
}

function malformed(why: string): ProofFault {
  return new ProofFault('proof-malformed', `no proof of sigsum: ${why}`);
}
