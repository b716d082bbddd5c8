// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { AcquisitionSealedV1 } from '@impound/contracts/acquisition/sealed.v1.ts';
import { Time } from '@impound/contracts/ids.ts';
import { millisecondsOf } from '@impound/contracts/time.ts';
import type { Checkpoint } from '@impound/transparency/checkpoint.ts';
import { leafHash } from '@impound/transparency/hash.ts';
import { NOTE_BYTES_MAX } from '@impound/transparency/note.ts';
import { verifyInclusion } from '@impound/transparency/proof-check.ts';
import { formatSpicy, parseTlogProof } from '@impound/transparency/tlog-proof.ts';
import * as z from 'zod';
import { CHAIN } from './bag-text.ts';
import { entryName } from './custody-log.ts';
import type { CustodyReader, OfEntry } from './custody-read.ts';
import { fileStream } from './file-stream.ts';
import { splitLines } from './lines.ts';

/** A line of a chain: its exact bytes, and which event it is. */
export interface ChainLine {
  readonly bytes: Buffer;
  /** The chain that it says to be of; undefined where it does not. */
  readonly acq: string | undefined;
  readonly eventId: string;
  readonly type: string;
  /** When the ledger says to have recorded it, in Unix milliseconds; NaN where it does not. */
  readonly recordedMs: number;
}

/** The lines of the chain in a bag, as far as they can be read: verifyChain() tells of the rest. */
export async function* chainIn(directory: string): AsyncGenerator<ChainLine> {
  try {
    for await (const line of splitLines(fileStream(join(directory, CHAIN)))) {
      const bytes = line.bytes.subarray(0, line.ended ? -1 : undefined);
      yield { bytes, ...eventOf(bytes) };
    }
  } catch {
    return;
  }
}

const UNKNOWN = { acq: undefined, eventId: 'unknown', type: 'unknown', recordedMs: Number.NaN };
const LineEvent = z.object({
  acq: z.uuid().optional().catch(undefined),
  recordedAt: Time.optional().catch(undefined),
  event: z.object({ id: z.uuid(), type: z.string().max(64) }),
});

function eventOf(bytes: Buffer): Omit<ChainLine, 'bytes'> {
  try {
    const { acq, event, recordedAt } = LineEvent.parse(JSON.parse(bytes.toString()));
    const recordedMs = millisecondsOf(recordedAt ?? '');
    return { acq, eventId: event.id, type: event.type, recordedMs };
  } catch {
    return UNKNOWN;
  }
}

/** A checkpoint and the bytes of its note; undefined where there is none that holds. */
interface Under {
  readonly chain: AsyncIterable<ChainLine>;
  readonly note: Buffer | undefined;
  readonly checkpoint: Checkpoint | undefined;
}

const ENTRY_BYTES_MAX = 65_535;
const PROOF_BYTES_MAX = 2 * NOTE_BYTES_MAX;

/** An entry whose place in the log is proven, and when it says to have been recorded. */
export interface Placed {
  readonly name: string;
  readonly index: bigint;
  readonly eventId: string;
  /** In Unix milliseconds; NaN where it does not say. */
  readonly recordedMs: number;
}

/** What of a chain is proven to stand in the log, and its seal where it has one. */
export interface ProvenChain {
  /** How many entries there are. */
  readonly entries: number;
  readonly proven: number;
  readonly placed: readonly Placed[];
  readonly seal: ChainLine | undefined;
  readonly first: EndLine | undefined;
  readonly last: EndLine | undefined;
}

/** The first or the last line of a chain, and its index where that is proven. */
export interface EndLine extends ChainLine {
  readonly index: bigint | undefined;
}

/** Checks entry by entry that each stands in the log, after the one before it. */
export async function proveChain(reader: CustodyReader, under: Under): Promise<ProvenChain> {
  const placed: Placed[] = [];
  let at = 0;
  let last = -1n;
  let seal: ChainLine | undefined;
  let first: EndLine | undefined;
  let end: EndLine | undefined;
  for await (const line of under.chain) {
    at += 1;
    const name = entryName(at);
    if (line.type === AcquisitionSealedV1.type) seal ??= line;
    const index = await provenEntry(reader, under, { ...line, name });
    end = { ...line, index };
    first ??= end;
    if (index === undefined) continue;
    const { eventId, recordedMs } = line;
    placed.push({ name, index, eventId, recordedMs });
    if (index <= last) {
      const what = `it stands at ${index} of the log, an entry before it at ${last}`;
      reader.add('index-order', what, { name, index, eventId });
    }
    last = index;
  }
  return { entries: at, proven: placed.length, placed, seal, first, last: end };
}

/** The index that is proven, or undefined and findings. */
async function provenEntry(
  reader: CustodyReader,
  { note, checkpoint }: Under,
  { name, bytes, eventId }: ChainLine & { readonly name: string },
): Promise<bigint | undefined> {
  const own = await reader.read(name, ENTRY_BYTES_MAX, { eventId });
  if (own !== undefined && !own.equals(bytes)) {
    const what = 'these bytes are not those of its line in custody/chain.jsonl';
    reader.add('entry-differs', what, { name, eventId });
  }
  const proof = await readProof(reader, `${name}.tlog-proof`, { eventId });
  if (proof === undefined) return undefined;
  const { index, path } = proof;
  const of = { index, eventId };
  await checkSpicy(reader, `${name}.spicy`, formatSpicy(proof), of);
  if (note === undefined || checkpoint === undefined) return undefined;
  if (proof.note !== note.toString()) {
    const what = 'it is a proof under another checkpoint than custody/checkpoint';
    reader.add('proof-differs', what, { name: `${name}.tlog-proof`, ...of });
    return undefined;
  }
  const { size, root } = checkpoint;
  return reader.check({ name: `${name}.tlog-proof`, ...of }, () => {
    verifyInclusion({ ...{ index, path, size, root }, leaf: leafHash(bytes) });
    return index;
  });
}

/** The index of an entry that is no part of the chain, or undefined and findings. */
export async function provenIndex(
  reader: CustodyReader,
  of: { readonly name: string; readonly entry: Buffer; readonly root: Checkpoint | undefined },
): Promise<bigint | undefined> {
  const name = `${of.name}.tlog-proof`;
  const proof = await readProof(reader, name, {});
  if (proof === undefined || of.root === undefined) return undefined;
  const { size, root } = of.root;
  return reader.check({ name }, () => {
    verifyInclusion({ ...proof, size, root, leaf: leafHash(of.entry) });
    return proof.index;
  });
}

async function readProof(reader: CustodyReader, name: string, of: OfEntry) {
  const bytes = await reader.read(name, PROOF_BYTES_MAX, of);
  return bytes && reader.check({ name, ...of }, () => parseTlogProof(bytes));
}

/** Both forms must be one proof: a reader of either is told the same. */
async function checkSpicy(
  reader: CustodyReader,
  name: string,
  expected: string,
  of: OfEntry,
): Promise<void> {
  const bytes = await reader.read(name, PROOF_BYTES_MAX, of);
  if (bytes === undefined || bytes.toString() === expected) return;
  reader.add('proof-differs', 'it is not the proof in the .tlog-proof beside it', { name, ...of });
}
