// SPDX-License-Identifier: Apache-2.0
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { CheckpointStampedV1 } from '@impound/contracts/checkpoint/stamped.v1.ts';
import { HeadsRootedV1 } from '@impound/contracts/heads/rooted.v1.ts';
import { LOG_TENANT } from '@impound/contracts/log-key.ts';
import { formatCheckpoint } from '@impound/transparency/checkpoint.ts';
import { cosignedMessage, writeCosignature } from '@impound/transparency/cosignature.ts';
import { leafHash } from '@impound/transparency/hash.ts';
import { headHash, NO_HEAD } from '@impound/transparency/heads.ts';
import { noteSigner, signatureLine, signNote } from '@impound/transparency/note.ts';
import { inclusionPath } from '@impound/transparency/proof.ts';
import {
  sigsumChecksum,
  sigsumHash,
  sigsumLeafBytes,
  sigsumLeafMessage,
  sigsumVkey,
} from '@impound/transparency/sigsum.ts';
import { rangeRoots } from '@impound/transparency/tile-reader.ts';
import { EMPTY_TREE, grow, rootOf } from '@impound/transparency/tree.ts';
import { formatVkey, KEY_TYPES, rawPublicKey, vkey } from '@impound/transparency/vkey.ts';
import type { CustodyLog, LeafProof, SignerLog } from '../custody-log.ts';
import { ACQUISITION, growingChain } from './chain-specimen.ts';

/** A witness signs so many seconds after the last entry of a chain was recorded. */
const COSIGNED_SECONDS = 100;
/** Leaves of others before, between and behind those of a chain. */
const OTHERS = Array.from({ length: 300 }, (_, n) => Buffer.from(`other ${n}`));

function pair() {
  const { privateKey } = generateKeyPairSync('ed25519');
  return { privateKey, raw: rawPublicKey(privateKey) };
}

/** An authority of time, as a log asks it. */
export interface SpecimenAuthority {
  /** Its certificate, in PEM. */
  readonly root: string;
  stamp(data: Buffer): Promise<Buffer>;
}

/** An entry by which the log names a signer, and in front of which entry of a chain it stands. */
export interface SpecimenSigner {
  readonly entry: Buffer;
  readonly before: number;
}

/** A log with keys of its own and one witness, which takes chains in. */
export function specimenLog(
  origin = 'ledger.example/custody/1',
  authority?: SpecimenAuthority,
  cosignedSeconds = COSIGNED_SECONDS,
) {
  const [own, sigsum, submitter, witness] = [pair(), pair(), pair(), specimenWitness()];
  const key = vkey(origin, KEY_TYPES.note, own.raw);
  const sigsumKey = sigsumVkey(sigsum.raw);
  const policy = `log ${formatVkey(key)}\nwitness w1 ${formatVkey(witness.key)}\nquorum w1\n`;

  let signedAt = 0n;
  const headOf = async (signer: ReturnType<typeof noteSigner>, size: number, root: Buffer) => {
    const text = formatCheckpoint({ origin: signer.vkey.name, size: BigInt(size), root });
    return (await signNote(text, [signer])) + witness.line(text, signedAt);
  };
  const signer = noteSigner(key, own.privateKey);
  const noteOver = (size: number, root: Buffer) => headOf(signer, size, root);

  /** The chain in a tree among leaves of others; behind the entry `seal` its leaf of sigsum. */
  const record = async (
    chain: readonly Buffer[],
    seal: number,
    named: readonly SpecimenSigner[] = [],
  ): Promise<CustodyLog> => {
    signedAt = cosignedAt(chain.at(-1), cosignedSeconds);
    const leaf = sealLeafOf(chain[seal] ?? Buffer.alloc(0), submitter);
    const leaves: Buffer[] = [...OTHERS];
    const after = await stampOver(leaves, { noteOver, authority });
    const afterAt = leaves.push(after.entry) - 1;
    const { places, signers } = laid(leaves, { chain, named, seal: { at: seal, leaf } });
    const before = await stampOver(leaves, { noteOver, authority });
    const rooted = rootOver(leaves, { chain, first: places[0] ?? 0, signers: signers.length });
    const rootedAt = leaves.push(rooted.entry) - 1;
    leaves.push(...OTHERS);
    const { size, root, proofOf } = treeOf(leaves);
    const place = places[seal];
    const time = async ({ root: certificates }: SpecimenAuthority) => ({
      after: { ...after, ...(await proofOf(afterAt)) },
      before: { ...before, ...(await before.proofOf(places[seal] ?? 0)), at: seal },
      certificates,
    });
    return {
      ...{ checkpoint: await noteOver(size, root), key, policy },
      proofs: await Promise.all(places.map(proofOf)),
      signers: await Promise.all(signers.map((one) => provenBy(proofOf, one))),
      ...(authority && { time: await time(authority) }),
      heads: { ...(await proofOf(rootedAt)), ...(await rooted.proven()) },
      ...(place === undefined
        ? {}
        : {
            seal: {
              ...(await proofOf(place + 1)),
              entry: seal,
              checkpoint: await headOf(noteSigner(sigsumKey, sigsum.privateKey), size, root),
              ...{ key: sigsumKey, leaf, submitter: submitter.raw },
            },
          }),
    };
  };
  return { record, key, policy, submitter: submitter.raw };
}

function specimenWitness() {
  const { raw, privateKey } = pair();
  const key = vkey('witness.example/w1', KEY_TYPES.cosignature, raw);
  const line = (text: string, at: bigint) =>
    signatureLine(key, writeCosignature(at, sign(null, cosignedMessage(at, text), privateKey)));
  return { key, line };
}

/** The leaves with a chain behind them, among others, and where what is of it stands. */
function laid(
  leaves: Buffer[],
  of: {
    readonly chain: readonly Buffer[];
    readonly named: readonly SpecimenSigner[];
    readonly seal: { readonly at: number; readonly leaf: Buffer };
  },
) {
  const { chain, named, seal } = of;
  const signers: { readonly entry: Buffer; readonly index: number }[] = [];
  const name = (at: number) => {
    for (const { entry } of named.filter(({ before }) => before === at)) {
      signers.push({ entry, index: leaves.push(entry) - 1 });
    }
  };
  const places = chain.map((entry, at) => {
    name(at);
    const index = leaves.push(entry) - 1;
    leaves.push(at === seal.at ? seal.leaf : Buffer.from(`other after ${at}`));
    return index;
  });
  name(chain.length);
  return { places, signers };
}

async function provenBy(
  proofOf: (index: number) => Promise<LeafProof>,
  { entry, index }: { readonly entry: Buffer; readonly index: number },
): Promise<SignerLog> {
  return { entry, ...(await proofOf(index)) };
}

function sealLeafOf(sealed: Buffer, submitter: ReturnType<typeof pair>): Buffer {
  const checksum = sigsumChecksum(sealed);
  const signature = sign(null, sigsumLeafMessage(checksum), submitter.privateKey);
  return sigsumLeafBytes({ checksum, signature, keyHash: sigsumHash(submitter.raw) });
}

/** A token over a tree, and the entry of the log that names it. */
async function stampOver(
  leaves: readonly Buffer[],
  by: {
    readonly noteOver: (size: number, root: Buffer) => Promise<string>;
    readonly authority: SpecimenAuthority | undefined;
  },
) {
  const { size, root, proofOf } = treeOf(leaves);
  const note = await by.noteOver(size, root);
  const token = (await by.authority?.stamp(Buffer.from(note))) ?? Buffer.alloc(0);
  const digests = { noteSha256: digestOf(Buffer.from(note)), tokenSha256: digestOf(token) };
  const { add, lines } = growingChain();
  add(CheckpointStampedV1, { data: { size, ...digests, authority: 'tsa' } });
  return { note, token, proofOf, entry: Buffer.from(lines[0] ?? '') };
}

/** A root over heads in which this chain is the only one, and the entry that holds it. */
function rootOver(
  { length: size }: readonly Buffer[],
  of: {
    readonly chain: readonly Buffer[];
    readonly first: number;
    /** How many of the leaves name signers. */
    readonly signers: number;
  },
) {
  const { chain, first, signers } = of;
  const last = leafHash(chain.at(-1) ?? Buffer.alloc(0));
  const hash = headHash({ acq: ACQUISITION, acqSeq: chain.length, last });
  const { root, proofOf } = treeOfHashes(Array(size).fill(NO_HEAD).with(first, hash));
  const { add, lines } = growingChain();
  add(HeadsRootedV1, { tenant: LOG_TENANT, data: { size, root: root.toString('hex'), signers } });
  const entry = Buffer.from(lines[0] ?? '');
  const proven = async () => {
    const { path } = await proofOf(first);
    return { entry, head: { index: BigInt(first), acqSeq: BigInt(chain.length), last, path } };
  };
  return { entry, proven };
}

/** The tree over these leaves, and the proof of one of them. */
function treeOf(leaves: readonly Buffer[]) {
  return treeOfHashes(leaves.map(leafHash));
}

function treeOfHashes(hashes: readonly Buffer[]) {
  const { tree, tiles } = grow(EMPTY_TREE, hashes);
  const full = new Map(tiles.map((tile) => [`${tile.level}/${tile.n}`, tile.hashes]));
  const tile = async ({ level, n }: { level: number; n: number }) =>
    full.get(`${level}/${n}`) ?? Buffer.concat(tree.partial[level] ?? []);
  const range = rangeRoots({ tile }, tree.size);
  const proofOf = async (index: number) => ({
    index,
    path: await inclusionPath(range, index, tree.size),
  });
  return { size: tree.size, root: rootOf(tree), proofOf };
}

function digestOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function cosignedAt(entry: Buffer | undefined, seconds: number): bigint {
  const { recordedAt } = JSON.parse(entry?.toString('utf8') ?? '{}');
  return BigInt(Math.floor(Date.parse(recordedAt) / 1_000) + seconds);
}
