// SPDX-License-Identifier: Apache-2.0
import { parseCheckpoint } from '@impound/transparency/checkpoint.ts';
import { formatHeadProof, type HeadProof } from '@impound/transparency/heads.ts';
import { parseNote, verifyNote } from '@impound/transparency/note.ts';
import { parsePolicy } from '@impound/transparency/policy.ts';
import { parseSigsumLeaf, sigsumHash, sshPublicKey } from '@impound/transparency/sigsum.ts';
import { formatSigsumProof } from '@impound/transparency/sigsum-proof.ts';
import { formatSpicy, formatTlogProof, type TlogProof } from '@impound/transparency/tlog-proof.ts';
import { formatVkey, publicKey, type Vkey } from '@impound/transparency/vkey.ts';
import { keysOf, sealPolicy } from './custody-policy.ts';
import { signerChangeIn, signerName, statedIn, statementFiles } from './statements.ts';

/** Where a leaf stands in the log, and the hashes from it to the root. */
export interface LeafProof {
  readonly index: number;
  readonly path: readonly Buffer[];
}

/** What the log has to say of a chain, so that strangers can check it by programs of their own. */
export interface CustodyLog {
  /** The log's checkpoint under its own origin, with every signature it has. */
  readonly checkpoint: string;
  readonly key: Vkey;
  /** Whose cosignatures are enough: C2SP tlog-policy. */
  readonly policy: string;
  /** One for each entry of the chain, in its order, under that checkpoint. */
  readonly proofs: readonly LeafProof[];
  readonly seal?: SealLog;
  readonly time?: TimeLog;
  /** The entries that say who signs what they capture and store, in the order of the log. */
  readonly signers?: readonly SignerLog[];
  readonly heads?: HeadsLog;
}

/** An entry of the log that is no part of the chain. */
export interface SignerLog extends LeafProof {
  readonly entry: Buffer;
}

/** The newest root over the heads of all chains below the checkpoint: an entry of the log. */
export interface HeadsLog extends LeafProof {
  readonly entry: Buffer;
  /** That this chain had a last entry by that root; absent where it began later. */
  readonly head?: HeadProof;
}

/** A token of an authority of time, what it was given for, and where a leaf stands. */
export interface StampLog extends LeafProof {
  /** The checkpoint that was stamped, byte for byte. */
  readonly note: string;
  /** The DER of the authority's whole answer (RFC 3161). */
  readonly token: Buffer;
}

/** Between which two tokens a chain lies. */
export interface TimeLog {
  /** On record in front of the chain: the entry that holds its digest, under the checkpoint. */
  readonly after?: StampLog & { readonly entry: Buffer };
  /**
   * Given for a tree that has the entry at this place of the chain, counted from 0, which stands
   * under the stamped note: the seal, or the last one where nothing was sealed.
   */
  readonly before?: StampLog & { readonly at: number };
  /** By which the authority is to be known, in PEM. */
  readonly certificates?: string;
}

/** The leaf of sigsum that vouches for the seal. */
export interface SealLog extends LeafProof {
  /** Which entry of the chain the seal is, counted from 0. */
  readonly entry: number;
  /** The same size and root under the origin that sigsum gives the log. */
  readonly checkpoint: string;
  readonly key: Vkey;
  /** The 128 bytes that are hashed into the tree. */
  readonly leaf: Buffer;
  /** The 32 bytes of who signed the leaf. */
  readonly submitter: Buffer;
}

/** A file of custody/ by its name there. */
export interface CustodyFile {
  readonly name: string;
  readonly bytes: Buffer;
}

/** The folders in custody/ that these files lie in. */
export const CUSTODY_FOLDERS = [
  'entries',
  'seal',
  'time',
  'signers',
  'statements',
  'heads',
] as const;

/** The entry that holds the root over the heads of all chains, and the chain's head in it. */
export const HEADS_ENTRY = 'heads/rooted.json';
export const HEAD_PROOF = 'heads/head.proof';

const NUMBER_DIGITS = 6;

/** The file of an entry by its place in the chain, counted from 1. */
export function entryName(acqSeq: number): string {
  return `entries/${String(acqSeq).padStart(NUMBER_DIGITS, '0')}.json`;
}

/** The files that a bag has of the log. Throws RangeError where there is no proof for an entry. */
export function* custodyFiles(log: CustodyLog, chain: readonly Buffer[]): Generator<CustodyFile> {
  if (log.proofs.length !== chain.length) {
    throw new RangeError(`${log.proofs.length} proofs came for ${chain.length} entries`);
  }
  yield* headFiles(log);
  for (const [at, bytes] of chain.entries()) {
    const { index, path } = log.proofs[at] as LeafProof;
    const proof = { index: BigInt(index), path, note: log.checkpoint };
    yield* provenFiles(entryName(at + 1), bytes, proof);
  }
  if (log.seal !== undefined) yield* sealFiles(log, log.seal, chain);
  if (log.time !== undefined) yield* timeFiles(log.time, log.checkpoint, chain);
  yield* signerFiles(log, log.signers ?? [], chain);
  if (log.heads !== undefined) yield* headsFiles(log.heads, log.checkpoint);
}

function* headFiles({ checkpoint, key, policy }: CustodyLog): Generator<CustodyFile> {
  const { text, signatures } = parseNote(Buffer.from(checkpoint));
  const own = signatures.find(({ name, id }) => name === key.name && id.equals(key.id));
  yield file('checkpoint', checkpoint);
  yield file('checkpoint.text', text);
  yield { name: 'checkpoint.sig', bytes: own?.signature ?? Buffer.alloc(0) };
  yield file('log.vkey', `${formatVkey(key)}\n`);
  yield file('log.pem', String(publicKey(key.key).export({ format: 'pem', type: 'spki' })));
  yield file('policy', policy);
}

function* sealFiles(
  log: CustodyLog,
  seal: SealLog,
  chain: readonly Buffer[],
): Generator<CustodyFile> {
  yield { name: 'seal/seal.json', bytes: chain[seal.entry] as Buffer };
  yield file('seal/seal.proof', sealProof(log, seal));
  yield file(
    'seal/policy',
    sealPolicy(log.policy, seal.key.key, parseNote(Buffer.from(seal.checkpoint))),
  );
  yield file('seal/submitter.pub', sshPublicKey(seal.submitter, 'submitter'));
  yield file('seal/checkpoint', seal.checkpoint);
}

function* timeFiles(
  { after, before, certificates }: TimeLog,
  checkpoint: string,
  chain: readonly Buffer[],
): Generator<CustodyFile> {
  if (after !== undefined) yield* stampFiles('after', after, { entry: after.entry, checkpoint });
  const entry = before && chain[before.at];
  if (before !== undefined && entry !== undefined) {
    yield* stampFiles('before', before, { entry, checkpoint: before.note });
  }
  if (certificates !== undefined) yield file('time/tsa.pem', certificates);
}

function* signerFiles(
  { checkpoint: note }: CustodyLog,
  signers: readonly SignerLog[],
  chain: readonly Buffer[],
): Generator<CustodyFile> {
  for (const [at, { entry, index, path }] of signers.entries()) {
    const name = signerName(at + 1);
    const proof = { index: BigInt(index), path, note };
    yield* provenFiles(name, entry, proof);
  }
  const changes = signers.map(({ entry }) => signerChangeIn(entry));
  for (const entry of chain) {
    const stated = statedIn(entry);
    if (stated === undefined) continue;
    const own = changes.filter((one) => one?.service === stated.service);
    yield* statementFiles(
      stated,
      own.flatMap((one) => one?.publicKey ?? []),
    );
  }
}

function* headsFiles({ index, path, entry, head }: HeadsLog, note: string): Generator<CustodyFile> {
  yield* provenFiles(HEADS_ENTRY, entry, { index: BigInt(index), path, note });
  if (head !== undefined) yield file(HEAD_PROOF, formatHeadProof(head));
}

function* provenFiles(name: string, bytes: Buffer, proof: TlogProof): Generator<CustodyFile> {
  yield { name, bytes };
  yield file(`${name}.tlog-proof`, formatTlogProof(proof));
  yield file(`${name}.spicy`, formatSpicy(proof));
}

function* stampFiles(
  name: 'after' | 'before',
  { index, path, note, token }: StampLog,
  { entry, checkpoint }: { readonly entry: Buffer; readonly checkpoint: string },
): Generator<CustodyFile> {
  const proof = { index: BigInt(index), path, note: checkpoint };
  yield* provenFiles(`time/${name}.json`, entry, proof);
  yield file(`time/${name}.checkpoint`, note);
  yield { name: `time/${name}.tsr`, bytes: token };
}

function sealProof(log: CustodyLog, seal: SealLog): string {
  const note = parseNote(Buffer.from(seal.checkpoint));
  const { size, root } = parseCheckpoint(note.text);
  const { signature, keyHash } = parseSigsumLeaf(seal.leaf);
  const { witnesses } = parsePolicy(log.policy);
  const verified = verifyNote(note, [seal.key, ...witnesses.flatMap(keysOf)]);
  const signedBy = (key: Vkey) =>
    note.signatures.find(({ name, id }) => name === key.name && id.equals(key.id))?.signature ??
    Buffer.alloc(0);
  const cosignatures = verified.flatMap(({ key, time }) =>
    time === undefined
      ? []
      : [{ keyHash: sigsumHash(key.key), time, signature: signedBy(key).subarray(8) }],
  );
  return formatSigsumProof({
    logKeyHash: sigsumHash(seal.key.key),
    leaf: { keyHash, signature },
    ...{ size, root, cosignatures },
    signature: signedBy(seal.key),
    index: BigInt(seal.index),
    path: seal.path,
  });
}

function file(name: string, text: string): CustodyFile {
  return { name, bytes: Buffer.from(text) };
}
