// SPDX-License-Identifier: Apache-2.0
import type { Signers } from '@impound/contracts/signer.ts';
import { type OpenedCheckpoint, openCheckpoint } from '@impound/transparency/checkpoint.ts';
import { NOTE_BYTES_MAX } from '@impound/transparency/note.ts';
import { enoughAlone } from '@impound/transparency/operators.ts';
import { type Policy, parsePolicy } from '@impound/transparency/policy.ts';
import { formatVkey, parseVkey, type Vkey } from '@impound/transparency/vkey.ts';
import { type CustodyReader, custodyReader, type LogFinding } from './custody-read.ts';
import { type ChainLine, chainIn, proveChain } from './verify-entries.ts';
import { type HeadsReport, verifyHeads } from './verify-heads.ts';
import { type KnownNote, knownOf, type Sighting } from './verify-known.ts';
import { checkQuorum } from './verify-quorum.ts';
import { type SealReport, verifySeal } from './verify-seal.ts';
import { checkSightings } from './verify-sightings.ts';
import { type StatementReport, verifyStatements } from './verify-statements.ts';
import { type TimeReport, type TimeTrust, verifyTime } from './verify-time.ts';

/** Whom the verifier believes, by other ways than the bag. */
export interface Trust {
  readonly key?: Vkey;
  readonly policy?: Policy;
  /** The 32 bytes of who signs seals. */
  readonly submitter?: Buffer;
  /** How tokens of an authority of time are checked; absent: they are not. */
  readonly time?: TimeTrust;
  /** Who signs what they capture and store, by services; of others those in the bag count. */
  readonly signers?: Signers;
  /** Cosignatures from before this second since 1970 do not count. */
  readonly cosignedSince?: bigint;
  /** Checkpoints of the log that somebody else has kept. */
  readonly known?: readonly KnownNote[];
}

/** A witness whose cosignature holds, and when it says to have signed, in seconds since 1970. */
export interface Witnessed {
  readonly name: string;
  readonly time: bigint;
}

/** Where a key or a policy was taken from: what comes with the bag vouches for nobody. */
export type From = 'bag' | 'given';

/** What verifying showed of the place of a chain in its log. */
export interface LogReport {
  readonly findings: readonly LogFinding[];
  /** Undefined where the bag has none that holds. */
  readonly checkpoint: OpenedCheckpoint | undefined;
  readonly key: { readonly vkey: string; readonly from: From } | undefined;
  readonly policy: { readonly quorum: string; readonly from: From } | undefined;
  readonly witnesses: readonly Witnessed[];
  /** Entries whose place in the log is proven. */
  readonly proven: number;
  readonly seal: SealReport | undefined;
  /** Undefined where the bag has no token, or where they are not checked. */
  readonly time: TimeReport | undefined;
  /** Who captured and stored, as far as that is signed. */
  readonly statements: StatementReport;
  /** Up to where nothing was left out; undefined where the bag has no root that says it. */
  readonly heads: HeadsReport | undefined;
  /** Operators of witnesses of whom each alone is enough by the policy. */
  readonly alone: readonly string[];
}

const TEXT_BYTES_MAX = 65_536;

/**
 * Checks that the log has signed a checkpoint, that enough witnesses have, and that every entry of
 * a chain stands in the log below it: by the given keys, else by those of the bag. Rejects only
 * when the signal aborts.
 */
export async function verifyLog(
  directory: string,
  on: { readonly chain: AsyncIterable<ChainLine>; readonly trust: Trust },
  signal: AbortSignal,
): Promise<LogReport> {
  const { chain, trust } = on;
  const reader = custodyReader(directory, signal);
  const policy = await policyOf(reader, trust);
  const key = await keyOf(reader, trust);
  const note = await reader.read('checkpoint', NOTE_BYTES_MAX);
  const named = [key?.vkey, ...(policy?.read.witnesses ?? []).map(({ vkey }) => vkey)];
  const keys = named.filter((one) => one !== undefined);
  const checkpoint = note && reader.check({ name: 'checkpoint' }, () => openCheckpoint(note, keys));
  const witnesses = witnessesOf(checkpoint, policy?.read);
  if (checkpoint !== undefined) checkQuorum(reader, witnesses, { policy: policy?.read, ...trust });
  const proof = await proveChain(reader, { chain, note, checkpoint });
  const { proven, placed, seal: line, first, last } = proof;
  const seal = await verifySeal(reader, {
    ...{ seal: line, checkpoint, trust },
    policy: policy?.read,
  });
  const time =
    trust.time &&
    (await verifyTime(reader, { trust: trust.time, checkpoint, first, last, seal: line }));
  const statements = await verifyStatements(reader, {
    ...{ chain: chainIn(directory), placed, checkpoint, given: trust.signers ?? {} },
  });
  const seen = witnesses.map((one) => one.time);
  const heads = await verifyHeads(reader, {
    ...proof,
    ...{ checkpoint, seen, named: statements.named },
  });
  const known = knownOf(reader, trust.known ?? [], { keys, checkpoint });
  checkSightings(reader, placed, [...sightingsOf(checkpoint, witnesses), ...known]);
  return {
    findings: reader.findings,
    key: key && { vkey: formatVkey(key.vkey), from: key.from },
    policy: policy && { quorum: policy.read.quorum, from: policy.from },
    ...{ checkpoint, witnesses, proven, seal, time, statements, heads },
    alone: policy === undefined ? [] : enoughAlone(policy.read),
  };
}

async function keyOf(reader: CustodyReader, { key, policy }: Trust) {
  if (key !== undefined) return { vkey: key, from: 'given' as const };
  const name = 'log.vkey';
  const text = (await reader.read(name, TEXT_BYTES_MAX))?.toString().replace(/\n$/, '');
  const vkey = text && reader.check({ name }, () => parseVkey(text));
  if (!vkey) return undefined;
  const logs = policy?.logs ?? [];
  if (logs.length > 0 && !logs.some((log) => log.vkey.key.equals(vkey.key))) {
    reader.add('key-differs', 'the policy that is known names another log than the bag', { name });
  }
  return { vkey, from: 'bag' as const };
}

async function policyOf(reader: CustodyReader, { policy }: Trust) {
  if (policy !== undefined) return { read: policy, from: 'given' as const };
  const name = 'policy';
  const bytes = await reader.read(name, TEXT_BYTES_MAX);
  const read = bytes && reader.check({ name }, () => parsePolicy(bytes.toString('latin1')));
  return read && { read, from: 'bag' as const };
}

function witnessesOf(
  checkpoint: OpenedCheckpoint | undefined,
  policy: Policy | undefined,
): readonly Witnessed[] {
  return (checkpoint?.verified ?? []).flatMap(({ key, time }) => {
    const known = policy?.witnesses.find(({ vkey }) => vkey?.name === key.name);
    return time === undefined || known === undefined ? [] : [{ name: known.name, time }];
  });
}

function sightingsOf(
  checkpoint: OpenedCheckpoint | undefined,
  witnesses: readonly Witnessed[],
): readonly Sighting[] {
  const size = checkpoint?.size ?? 0n;
  return witnesses.map(({ name, time }) => ({ by: name, size, time }));
}
