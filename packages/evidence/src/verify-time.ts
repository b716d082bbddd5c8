// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { CheckpointStampedV1 } from '@impound/contracts/checkpoint/stamped.v1.ts';
import { type Checkpoint, parseCheckpoint } from '@impound/transparency/checkpoint.ts';
import { NOTE_BYTES_MAX, parseNote } from '@impound/transparency/note.ts';
import type { CustodyReader } from './custody-read.ts';
import { entryIn } from './statements.ts';
import { type ChainLine, type EndLine, provenIndex } from './verify-entries.ts';
import type { From } from './verify-log.ts';

/** What a token says that was found good. */
export interface StampSaid {
  readonly at: Date;
  /** Who stamped, by the certificate. */
  readonly authority: string;
}

/** Holds a token (RFC 3161) against what was stamped, by trusted certificates in PEM. Rejects. */
export type TokenCheck = (
  token: Buffer,
  on: { readonly data: Buffer; readonly trusted: readonly string[] },
) => Promise<StampSaid>;

/** How the time of a chain is checked. */
export interface TimeTrust {
  readonly check: TokenCheck;
  /** Certificates of the authority, in PEM, known by another way than the bag. */
  readonly certificates?: string | undefined;
}

/** Between which times a chain came into the log, by an authority that is not the log. */
export interface TimeReport {
  /** It came into the log behind an entry that stands at this index, after this time. */
  readonly after: (StampSaid & { readonly index: bigint }) | undefined;
  /** It is older than this, up to its seal, or all of it. */
  readonly before: (StampSaid & { readonly upTo: 'seal' | 'end' }) | undefined;
  /** Where the certificates are from. */
  readonly from: From;
}

const ENTRY_BYTES_MAX = 65_535;
const TOKEN_BYTES_MAX = 65_536;
const PEM_BYTES_MAX = 65_536;
/** A clock that is set differs by less from that of an authority. */
const CLOCKS_MS_MAX = 120_000;

interface On {
  readonly trust: TimeTrust;
  /** The checkpoint of the bag and the text of its note; undefined: none that holds. */
  readonly checkpoint: Checkpoint | undefined;
  readonly first: EndLine | undefined;
  readonly last: EndLine | undefined;
  readonly seal: ChainLine | undefined;
}

interface Checked extends On {
  readonly reader: CustodyReader;
  readonly trusted: readonly string[];
}

/** Checks the tokens of a bag; undefined where it has none. */
export async function verifyTime(reader: CustodyReader, on: On): Promise<TimeReport | undefined> {
  const names = ['after', 'before'] as const;
  const tokens = await Promise.all(
    names.map((name) => reader.readIfThere(`time/${name}.tsr`, TOKEN_BYTES_MAX)),
  );
  const [afterToken, beforeToken] = tokens;
  if (afterToken === undefined && beforeToken === undefined) return undefined;
  const given = on.trust.certificates;
  const own = given ?? (await reader.read('time/tsa.pem', PEM_BYTES_MAX))?.toString('latin1');
  const trusted = certificatesIn(own);
  const checked = { ...on, reader, trusted };
  const after = afterToken && (await checkAfter(checked, afterToken));
  const before = beforeToken && (await checkBefore(checked, beforeToken));
  return { after, before, from: given === undefined ? 'bag' : 'given' };
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Each certificate of a text in PEM; none where there is no text. */
export function certificatesIn(pem: string | undefined): readonly string[] {
  return pem?.match(CERTIFICATE) ?? [];
}

/** An entry that names the token stands in front of the chain. */
async function checkAfter(on: Checked, token: Buffer): Promise<TimeReport['after']> {
  const { reader, checkpoint, first } = on;
  const name = 'time/after.json';
  const entry = await reader.read(name, ENTRY_BYTES_MAX);
  const said = await checkToken(on, 'after', token);
  if (entry === undefined || said === undefined) return undefined;
  const stamped = stampedIn(entry);
  if (stamped?.tokenSha256 !== digestOf(token) || stamped.noteSha256 !== digestOf(said.note)) {
    reader.add('stamp-differs', 'this entry names another token than after.tsr', { name });
    return undefined;
  }
  const index = await provenIndex(reader, { name, entry, root: checkpoint });
  if (index === undefined) return undefined;
  if (first?.index === undefined || index >= first.index) {
    const what = 'it does not stand in front of the chain: nothing follows from its token';
    reader.add('stamp-differs', what, { name, index });
    return undefined;
  }
  checkNotBack(reader, first, said.at);
  return { at: said.at, authority: said.authority, index };
}

/** An entry of the chain, which names the hashes of all before it, is in a stamped tree. */
async function checkBefore(on: Checked, token: Buffer): Promise<TimeReport['before']> {
  const { reader } = on;
  const name = 'time/before.json';
  const said = await checkToken(on, 'before', token);
  if (said === undefined) return undefined;
  const note = { name: 'time/before.checkpoint' };
  const root = reader.check(note, () => parseCheckpoint(parseNote(said.note).text));
  const entry = await reader.read(name, ENTRY_BYTES_MAX);
  if (entry === undefined || root === undefined) return undefined;
  const line = [on.seal, on.last].find((one) => one?.bytes.equals(entry));
  if (line === undefined) {
    const what = 'these bytes are neither those of the seal nor of the last entry';
    reader.add('stamp-differs', what, { name });
    return undefined;
  }
  const index = await provenIndex(reader, { name, entry, root });
  if (index === undefined) return undefined;
  checkNotAhead(reader, line, said.at);
  return { at: said.at, authority: said.authority, upTo: line === on.seal ? 'seal' : 'end' };
}

async function checkToken(
  { reader, trust, trusted }: Checked,
  which: 'after' | 'before',
  token: Buffer,
): Promise<(StampSaid & { readonly note: Buffer }) | undefined> {
  const note = await reader.read(`time/${which}.checkpoint`, NOTE_BYTES_MAX);
  if (note === undefined) return undefined;
  try {
    return { ...(await trust.check(token, { data: note, trusted })), note };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    reader.add('stamp-refused', why.slice(0, WHY_CHARACTERS_MAX), { name: `time/${which}.tsr` });
    return undefined;
  }
}

const WHY_CHARACTERS_MAX = 400;

function stampedIn(bytes: Buffer): CheckpointStampedV1 | undefined {
  const event = entryIn(bytes)?.event;
  if (event?.type !== CheckpointStampedV1.type) return undefined;
  return CheckpointStampedV1.shape.safeParse(event.data).data;
}

/** What the ledger says of when it recorded must lie where the authority says that it did. */
function checkNotBack(reader: CustodyReader, first: ChainLine, at: Date): void {
  if (!(first.recordedMs < at.getTime() - CLOCKS_MS_MAX)) return;
  const what = `an entry says to be of ${timeText(first.recordedMs)}, and came in after ${timeText(at)}`;
  reader.add('time-contradicted', what, { name: 'time/after.tsr' });
}

function checkNotAhead(reader: CustodyReader, line: ChainLine, at: Date): void {
  if (!(line.recordedMs > at.getTime() + CLOCKS_MS_MAX)) return;
  const what = `an entry says to be of ${timeText(line.recordedMs)}, and was there at ${timeText(at)}`;
  reader.add('time-contradicted', what, { name: 'time/before.tsr' });
}

function timeText(time: number | Date): string {
  return new Date(time).toISOString();
}

function digestOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
