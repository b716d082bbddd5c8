// SPDX-License-Identifier: Apache-2.0
import { HeadsRootedV1 } from '@impound/contracts/heads/rooted.v1.ts';
import { LOG_TENANT } from '@impound/contracts/log-key.ts';
import type { Checkpoint } from '@impound/transparency/checkpoint.ts';
import { leafHash } from '@impound/transparency/hash.ts';
import { type HeadProof, parseHeadProof, verifyHead } from '@impound/transparency/heads.ts';
import { NOTE_BYTES_MAX } from '@impound/transparency/note.ts';
import { entryName, HEAD_PROOF, HEADS_ENTRY } from './custody-log.ts';
import type { CustodyReader } from './custody-read.ts';
import { entryIn } from './statements.ts';
import { type EndLine, type Placed, provenIndex } from './verify-entries.ts';

/** Up to where nothing was left out of a chain, by the root over the heads of all chains. */
export interface HeadsReport {
  /** Where the root stands in the log, and how many leaves it is made of. */
  readonly index: bigint;
  readonly size: bigint;
  /** When the log says to have recorded it. */
  readonly recordedAt: string;
  /** How many entries the chain had by it; 0: it began later. */
  readonly entries: bigint;
}

interface On {
  /** The checkpoint of the bag; undefined: none that holds. */
  readonly checkpoint: Checkpoint | undefined;
  /** How many entries the chain has, and which of them are proven. */
  readonly entries: number;
  readonly placed: readonly Placed[];
  readonly first: EndLine | undefined;
  readonly last: EndLine | undefined;
  /** When witnesses signed the checkpoint, in seconds since 1970. */
  readonly seen: readonly bigint[];
  /** Where the entries stand that name signers, as far as the bag has them. */
  readonly named: readonly bigint[];
}

const ENTRY_BYTES_MAX = 65_535;
const PROOF_BYTES_MAX = 2 * NOTE_BYTES_MAX;
/** Heads are on record long before so many seconds are over; docs/spec/ledger.md has the rule. */
const UNROOTED_SECONDS_MAX = 900n;
const MILLISECONDS = 1_000;

/** Holds the end of a chain against the root over all heads; undefined where none holds. */
export async function verifyHeads(reader: CustodyReader, on: On): Promise<HeadsReport | undefined> {
  const entry = await reader.readIfThere(HEADS_ENTRY, ENTRY_BYTES_MAX);
  const report = entry && (await rooted(reader, on, entry));
  // What does not hold is a finding already.
  if (entry === undefined || report !== undefined) checkCovered(reader, on, report);
  return report;
}

/** A checkpoint that is much younger than the last entry must have a root that covers it. */
function checkCovered(
  { add }: Pick<CustodyReader, 'add'>,
  { last, seen }: On,
  report: HeadsReport | undefined,
): void {
  if (last?.index === undefined || Number.isNaN(last.recordedMs)) return;
  if (report !== undefined && last.index < report.size) return;
  const at = BigInt(Math.floor(last.recordedMs / MILLISECONDS));
  if (!seen.some((time) => time > at + UNROOTED_SECONDS_MAX)) return;
  const root = report === undefined ? 'there is no root' : `the root is over ${report.size} leaves`;
  const what = `${root}, and the checkpoint was cosigned more than ${UNROOTED_SECONDS_MAX} s after the last entry: others may have been left out behind it`;
  add('heads-missing', what, { name: HEADS_ENTRY, index: last.index, eventId: last.eventId });
}

async function rooted(
  reader: CustodyReader,
  on: On,
  entry: Buffer,
): Promise<HeadsReport | undefined> {
  const name = HEADS_ENTRY;
  const said = rootIn(entry);
  const index = await provenIndex(reader, { name, entry, root: on.checkpoint });
  if (said === undefined || (index !== undefined && said.size > index)) {
    reader.add('root-differs', 'this entry holds no root over heads of this log', { name });
    return undefined;
  }
  const { size, recordedAt } = said;
  checkSigners(reader, on, said);
  if (index === undefined || on.first?.index === undefined) return undefined;
  const begun = on.first.index < size;
  const head = begun ? await headOf(reader, on, said) : undefined;
  if (begun && head === undefined) return undefined;
  checkPlaces(reader, on, { size, entries: head?.acqSeq ?? 0n });
  return { index, size, recordedAt, entries: head?.acqSeq ?? 0n };
}

interface Said {
  readonly size: bigint;
  readonly root: Buffer;
  readonly signers: bigint | undefined;
  readonly recordedAt: string;
}

/** Whoever leaves out that a key was retired has fewer of these entries than the log had then. */
function checkSigners(reader: CustodyReader, { named }: On, { size, signers }: Said): void {
  const found = BigInt(named.filter((index) => index < size).length);
  if (signers === undefined || signers === found) return;
  const what = `${signers} of the first ${size} leaves of the log name signers; the bag has ${found} of them: whose key was retired may have been left out`;
  reader.add('chain-cut', what, { name: HEADS_ENTRY });
}

function rootIn(bytes: Buffer): Said | undefined {
  const entry = entryIn(bytes);
  if (entry?.event.type !== HeadsRootedV1.type || entry.event.tenant !== LOG_TENANT) {
    return undefined;
  }
  const { data } = HeadsRootedV1.shape.safeParse(entry.event.data);
  if (data === undefined) return undefined;
  const { size, root, signers } = data;
  return {
    ...{ size: BigInt(size), root: Buffer.from(root, 'hex'), recordedAt: entry.recordedAt },
    signers: signers === undefined ? undefined : BigInt(signers),
  };
}

/** The head of the chain that begins where this one does; the bag must have that entry. */
async function headOf(
  reader: CustodyReader,
  { first, entries }: On,
  { size, root }: Said,
): Promise<HeadProof | undefined> {
  const name = HEAD_PROOF;
  const bytes = await reader.read(name, PROOF_BYTES_MAX);
  const head = bytes && reader.check({ name }, () => parseHeadProof(bytes));
  if (head === undefined || first?.index === undefined) return undefined;
  const { acq } = first;
  if (head.index !== first.index || acq === undefined) {
    reader.add('root-differs', 'it is the head of another chain than this one', { name });
    return undefined;
  }
  const holds = reader.check({ name, index: head.index }, () => {
    verifyHead(head, { acq, size, root });
    return true;
  });
  if (holds === undefined) return undefined;
  const at = entryName(Number(head.acqSeq));
  const last = await reader.readIfThere(at, ENTRY_BYTES_MAX);
  const isThere = head.acqSeq <= BigInt(entries) && last !== undefined;
  if (isThere && leafHash(last).equals(head.last)) return head;
  const what = `the chain had ${head.acqSeq} entries among the first ${size} leaves of the log, and ended with ${head.last.toString('hex')}; the bag has ${entries}: entries were left out or are others`;
  reader.add('chain-cut', what, { name });
  return undefined;
}

/** What came by then stands below the size of the root, what came later does not. */
function checkPlaces(
  reader: CustodyReader,
  on: On,
  { size, entries }: { readonly size: bigint; readonly entries: bigint },
): void {
  if (on.placed.length !== on.entries) return;
  const wrong = on.placed.find(({ index }, at) => index < size !== BigInt(at) < entries);
  if (wrong === undefined) return;
  const { name, index, eventId } = wrong;
  const what = `it stands at ${index}, and a root over ${size} leaves has ${entries} entries of its chain`;
  reader.add('root-differs', what, { name, index, eventId });
}
