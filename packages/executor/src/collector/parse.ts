// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { type ByteSource, byteSource } from './byte-source.ts';
import { bufferedContent, type Claim, type OpenContent, streamedContent } from './content.ts';
import * as fields from './fields.ts';
import { type Header, parseHeader } from './header.ts';
import type { CollectorFile, CollectorRecord, ContentEnd } from './records.ts';

/** What a stream may cost its reader; beyond it the fault is `too-large`. */
export interface CollectorLimits {
  readonly bytesMax: number;
  readonly recordsMax: number;
}

/** Four tebibytes in fifty million records: more than one target holds. */
export const COLLECTOR_LIMITS: CollectorLimits = { bytesMax: 2 ** 42, recordsMax: 50_000_000 };

const MAGIC = 'IMPOUND-COLLECTOR ';
const VERSION = '1';
const HEADER_BYTES_MAX = 1_024;
const NAME_BYTES_MAX = 8_192;
const TEXT_BYTES_MAX = 8_388_608;
const PACK_BYTES_MAX = 4_194_304;
const PACK_FILES_MAX = 256;
const LF = 0x0a;
const NOTHING = Buffer.alloc(0);

interface Reading {
  readonly source: ByteSource;
  readonly limits: CollectorLimits;
  seq: number;
  files: number;
  bytes: number;
  /** Described already, their contents come with the next pack. */
  items: PackItem[];
  /** Where each pack comes to lie, over the one before. */
  pack: Buffer;
}

type Reader = (reading: Reading, header: Header) => AsyncGenerator<CollectorRecord>;

/**
 * Reads what a collector wrote (docs/spec/collector-stream.md), record by record as it is pulled.
 * A file's content is read before the next record is asked for. The last record is the trailer;
 * send `COLLECTOR_ACK` when it comes, and go on until the iteration ends with the stream.
 * Throws CollectorFault (`truncated`, `garbage`, `too-large`, `unexpected-version`) where the
 * stream cannot be trusted further; a wrong digest is told by that content's end instead.
 */
export async function* parseCollectorStream(
  stdout: AsyncIterable<Buffer>,
  limits: CollectorLimits = COLLECTOR_LIMITS,
): AsyncGenerator<CollectorRecord, void, undefined> {
  const source = byteSource(stdout);
  const reading: Reading = { source, limits, seq: 0, files: 0, bytes: 0, items: [], pack: NOTHING };
  try {
    await readMagic(source);
    for (let kind = ''; kind !== 'trailer'; ) {
      const header = await numbered(reading);
      kind = header.kind;
      yield* readRecord(reading, header);
    }
    if (!(await source.ended())) throw source.fault('garbage', 'bytes follow the end marker');
  } finally {
    await source.close();
  }
}

async function readMagic(source: ByteSource): Promise<void> {
  const other = () =>
    source.fault('garbage', 'what answered is no collector: its first line is another one');
  const line = (await source.line(HEADER_BYTES_MAX, other)).toString('latin1');
  if (!line.startsWith(MAGIC)) throw other();
  if (line !== MAGIC + VERSION) {
    throw source.fault('unexpected-version', `only version ${VERSION} can be read`);
  }
}

async function headerLine(source: ByteSource): Promise<Header> {
  const header = parseHeader(await source.line(HEADER_BYTES_MAX));
  if (!header) throw source.fault('garbage', 'a line is no header');
  return header;
}

async function numbered(reading: Reading): Promise<Header> {
  let header = await headerLine(reading.source);
  for (; header.kind === 'item'; header = await headerLine(reading.source)) {
    await readItem(reading, header);
  }
  reading.seq += 1;
  if (header.fields.get('seq') !== String(reading.seq)) {
    throw reading.source.fault('garbage', `record ${reading.seq} carries another number`);
  }
  if (reading.seq > reading.limits.recordsMax) {
    throw reading.source.fault('too-large', `more than ${reading.limits.recordsMax} records`);
  }
  return header;
}

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['open', readOpen],
  ['text', readText],
  ['file', readFile],
  ['pack', readPack],
  ['coverage', readCoverage],
  ['beat', plain(fields.beatRecord)],
  ['footprint', plain(fields.footprintRecord)],
  ['trailer', readTrailer],
]);

async function* readRecord(reading: Reading, header: Header): AsyncGenerator<CollectorRecord> {
  const reader = READERS.get(header.kind);
  if (!reader || (header.kind === 'open') !== (reading.seq === 1)) {
    throw reading.source.fault('garbage', 'a record of a kind that cannot stand here');
  }
  try {
    yield* reader(reading, header);
  } catch (error) {
    throw asFault(reading.source, error);
  }
}

function asFault(source: ByteSource, error: unknown): unknown {
  return error instanceof fields.FieldError ? source.fault('garbage', error.message) : error;
}

function plain(record: (header: Header) => CollectorRecord): Reader {
  return async function* (_, header) {
    yield record(header);
  };
}

async function* readOpen(_: Reading, header: Header): AsyncGenerator<CollectorRecord> {
  yield fields.openRecord(header);
}

async function blob(source: ByteSource, length: number): Promise<Buffer> {
  if (length > NAME_BYTES_MAX) {
    throw source.fault('too-large', `a name of more than ${NAME_BYTES_MAX} bytes`);
  }
  return source.exactly(length);
}

async function newline(source: ByteSource): Promise<void> {
  const [byte] = await source.exactly(1);
  if (byte !== LF) throw source.fault('garbage', 'no line end where a declared length is over');
}

function spend(reading: Reading, bytes: number): void {
  reading.bytes += bytes;
  if (reading.bytes <= reading.limits.bytesMax) return;
  throw reading.source.fault('too-large', `more than ${reading.limits.bytesMax} bytes of content`);
}

async function* handOut(
  record: CollectorRecord,
  content: OpenContent,
): AsyncGenerator<CollectorRecord> {
  yield record;
  await content.drain();
}

async function* readText(reading: Reading, header: Header): AsyncGenerator<CollectorRecord> {
  const { source } = reading;
  const bytes = fields.count(header, 'bytes');
  if (bytes > TEXT_BYTES_MAX) throw source.fault('too-large', 'a text of more than 8 MiB');
  spend(reading, bytes);
  const claimed = fields.claimedDigest(header);
  const cut = fields.count(header, 'cut') !== 0;
  const name = await blob(source, fields.count(header, 'name'));
  const open = streamedContent(source, bytes, async () => {
    await newline(source);
    return { claimed, flags: [], read: bytes };
  });
  yield* handOut({ kind: 'text', name, cut, content: open.content }, open);
}

async function* readFile(reading: Reading, header: Header): AsyncGenerator<CollectorRecord> {
  const { source } = reading;
  const path = await blob(source, fields.count(header, 'path'));
  const linkBytes = fields.count(header, 'link');
  const link = linkBytes === 0 ? undefined : await blob(source, linkBytes);
  await newline(source);
  reading.files += 1;
  const about = {
    ...fields.fileFields(header),
    path,
    link,
    offset: fields.count(header, 'offset'),
    withheld: fields.known(header, 'why'),
  };
  if (fields.known(header, 'content') === undefined) {
    yield { ...about, content: undefined };
    return;
  }
  const bytes = fields.count(header, 'content');
  spend(reading, bytes);
  const open = streamedContent(source, bytes, () => fileEnd(source));
  yield* handOut({ ...about, content: open.content }, open);
}

async function fileEnd(source: ByteSource): Promise<Claim> {
  const header = await endLine(source);
  try {
    const flags = fields.flagsOf(header);
    const read = fields.known(header, 'read') && { read: fields.count(header, 'read') };
    return { claimed: fields.claimedDigest(header), flags, ...(read || {}) };
  } catch (error) {
    throw asFault(source, error);
  }
}

async function endLine(source: ByteSource): Promise<Header> {
  await newline(source);
  const header = await headerLine(source);
  if (header.kind !== 'end') throw source.fault('garbage', 'no end line behind a content');
  return header;
}

type PackItem = Omit<CollectorFile, 'content'>;

async function readItem({ source, seq, items }: Reading, header: Header): Promise<void> {
  if (seq === 0) throw source.fault('garbage', 'a file stands before the first record');
  if (items.length === PACK_FILES_MAX) throw source.fault('too-large', 'a pack of over 256 files');
  try {
    const path = await blob(source, fields.count(header, 'path'));
    await newline(source);
    const about = fields.fileFields(header);
    items.push({ ...about, path, link: undefined, offset: 0, withheld: undefined });
  } catch (error) {
    throw asFault(source, error);
  }
}

async function* readPack(reading: Reading, header: Header): AsyncGenerator<CollectorRecord> {
  const { source, items } = reading;
  const bytes = fields.count(header, 'bytes');
  const count = fields.count(header, 'files');
  reading.items = [];
  if (bytes > PACK_BYTES_MAX) throw source.fault('too-large', 'a pack of more than 4 MiB');
  const sum = items.reduce((before, { size }) => before + size, 0);
  if (items.length !== count || sum !== bytes) {
    throw source.fault('garbage', 'the files of a pack do not add up to it');
  }
  spend(reading, bytes);
  if (reading.pack.length < bytes) reading.pack = Buffer.allocUnsafeSlow(bytes);
  const data = await source.into(reading.pack.subarray(0, bytes));
  const end = await endLine(source);
  if (fields.word(end, 'state') !== 'settled') return; // its files follow, each one alone
  reading.files += count;
  yield* unpacked(items, data, packEnd(data, fields.claimedDigest(end)));
}

function packEnd(data: Buffer, claimed: string | undefined): Pick<ContentEnd, 'covered' | 'fault'> {
  if (claimed === undefined) return { covered: 'none' };
  const same = hash('sha256', data) === claimed;
  return same ? { covered: 'pack' } : { covered: 'pack', fault: 'digest-mismatch' };
}

function* unpacked(
  items: readonly PackItem[],
  data: Buffer,
  end: Pick<ContentEnd, 'covered' | 'fault'>,
): Generator<CollectorFile> {
  let from = 0;
  for (const item of items) {
    const own = data.subarray(from, from + item.size);
    from += item.size;
    yield { ...item, content: bufferedContent(own, end) };
  }
}

async function* readCoverage(reading: Reading, header: Header): AsyncGenerator<CollectorRecord> {
  const item = await blob(reading.source, fields.count(header, 'item'));
  await newline(reading.source);
  yield fields.coverageRecord(header, item);
}

async function* readTrailer(reading: Reading, header: Header): AsyncGenerator<CollectorRecord> {
  const trailer = fields.trailerRecord(header);
  const { source, seq, files, bytes, items } = reading;
  if (items.length > 0) throw source.fault('garbage', 'files whose pack never came');
  if (trailer.records !== seq - 1 || trailer.files !== files || trailer.bytes !== bytes) {
    throw source.fault('garbage', 'the trailer counts otherwise than was received');
  }
  const other = () => source.fault('garbage', 'no end marker');
  const marker = (await source.line(HEADER_BYTES_MAX, other)).toString('latin1');
  if (marker !== `IMPOUND-END ${seq}`) throw other();
  yield trailer;
}
