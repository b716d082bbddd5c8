// SPDX-License-Identifier: Apache-2.0
import type { Checkpoint } from '@impound/transparency/checkpoint.ts';
import { type Policy, parsePolicy } from '@impound/transparency/policy.ts';
import { sigsumHash, sshKeyOf } from '@impound/transparency/sigsum.ts';
import { parseSigsumProof, verifySigsumProof } from '@impound/transparency/sigsum-proof.ts';
import type { CustodyReader } from './custody-read.ts';
import type { ChainLine } from './verify-entries.ts';
import { quorumFault } from './verify-quorum.ts';

/** What the proof of sigsum shows of a seal: who signed it, and by which keys that is known. */
export interface SealReport {
  /** SHA-256 of the submitter's key, as sigsum names it, and whether the bag itself named it. */
  readonly submitter: { readonly keyHash: string; readonly from: 'bag' | 'given' };
  /** The index of the leaf in the log. */
  readonly index: bigint;
  /** Witnesses of the policy whose cosignatures under this head hold. */
  readonly witnesses: readonly string[];
}

interface Sealed {
  readonly seal: ChainLine | undefined;
  readonly checkpoint: Checkpoint | undefined;
  readonly trust: { readonly submitter?: Buffer; readonly cosignedSince?: bigint };
  readonly policy: Policy | undefined;
}

const TEXT_BYTES_MAX = 65_536;

/** Checks the proof of sigsum for the seal of a chain; undefined where none holds or is needed. */
export async function verifySeal(
  reader: CustodyReader,
  of: Sealed,
): Promise<SealReport | undefined> {
  const { seal } = of;
  if (seal === undefined) return undefined;
  const { eventId } = seal;
  const read = (name: string) => reader.read(`seal/${name}`, TEXT_BYTES_MAX, { eventId });
  const own = await read('seal.json');
  if (own !== undefined && !own.equals(seal.bytes)) {
    const what = 'these bytes are not those of the seal in custody/chain.jsonl';
    reader.add('entry-differs', what, { name: 'seal/seal.json', eventId });
  }
  const texts = { proof: await read('seal.proof'), policy: await read('policy') };
  const submitter = await submitterOf(reader, of, await read('submitter.pub'));
  const { proof, policy } = texts;
  if (proof === undefined || policy === undefined || submitter === undefined) return undefined;
  return reader.check({ name: 'seal/seal.proof', eventId }, () =>
    report(reader, { ...of, seal, proof, sigsumPolicy: policy, submitter }),
  );
}

async function submitterOf(reader: CustodyReader, of: Sealed, line: Buffer | undefined) {
  const name = 'seal/submitter.pub';
  const own = line && reader.check({ name }, () => sshKeyOf(line.toString()));
  const given = of.trust.submitter;
  if (given === undefined) return own && { key: own, from: 'bag' as const };
  if (own !== undefined && !own.equals(given)) {
    reader.add('key-differs', 'the bag names another submitter than the one that is known', {
      name,
    });
  }
  return { key: given, from: 'given' as const };
}

interface Report extends Sealed {
  readonly seal: ChainLine;
  readonly proof: Buffer;
  readonly sigsumPolicy: Buffer;
  readonly submitter: { readonly key: Buffer; readonly from: 'bag' | 'given' };
}

function report(reader: CustodyReader, of: Report): SealReport | undefined {
  const proof = parseSigsumProof(of.proof.toString());
  const own = parsePolicy(of.sigsumPolicy.toString('latin1'));
  const log = own.logs.find(({ vkey }) => sigsumHash(vkey.key).equals(proof.logKeyHash));
  if (log === undefined) {
    const what = 'the policy beside it does not name the log that it is a proof of';
    reader.add('signature-missing', what, { name: 'seal/seal.proof' });
    return undefined;
  }
  // A policy in the form of sigsum is one about this head.
  const policy = of.policy?.witnesses.some(({ vkey }) => vkey === undefined) ? of.policy : own;
  const witnesses = policy.witnesses.map(({ key }) => key);
  const trust = { submitter: of.submitter.key, log: log.vkey.key, witnesses };
  const seen = verifySigsumProof(proof, of.seal.bytes, trust);
  const signed = policy.witnesses.flatMap(({ name, key }) => {
    const one = seen.find(({ keyHash }) => keyHash.equals(sigsumHash(key)));
    return one === undefined ? [] : [{ name, time: one.time }];
  });
  const by = signed.map(({ name }) => name);
  // Where another head is the one that witnesses look at, they were counted there.
  const cosignedSince = policy === own ? 0n : (of.trust.cosignedSince ?? 0n);
  quorumFault(reader, signed, { policy, cosignedSince, name: 'seal/seal.proof' });
  checkHeads(reader, of.checkpoint, proof);
  const keyHash = sigsumHash(of.submitter.key).toString('hex');
  return { submitter: { keyHash, from: of.submitter.from }, index: proof.index, witnesses: by };
}

/** Two heads over one tree: where they speak of one size they must speak of one root. */
function checkHeads(
  reader: CustodyReader,
  one: Checkpoint | undefined,
  other: Pick<Checkpoint, 'size' | 'root'>,
): void {
  if (one === undefined || (one.size === other.size && one.root.equals(other.root))) return;
  const what = `size ${other.size} with root ${other.root.toString('hex')}, where custody/checkpoint has ${one.size} with ${one.root.toString('hex')}`;
  reader.add('heads-differ', what, { name: 'seal/checkpoint' });
}
