// SPDX-License-Identifier: Apache-2.0
import type { Footprint } from '@impound/contracts/evidence.ts';
import type { FileMeta } from '@impound/evidence/entry.ts';
import { EvidenceFault } from '@impound/evidence/fault.ts';
import type { FileType } from '@impound/evidence/manifest.ts';
import type { EvidenceWriter } from '@impound/evidence/writer.ts';
import type {
  CollectedType,
  CollectorContent,
  CollectorFile,
  CollectorFootprint,
  CollectorRecord,
  CollectorTrailer,
} from './collector/records.ts';

/** What has come so far: the caller's view of a transfer, also after it broke. */
export interface Transferred {
  files: number;
  bytes: number;
  /** Set by the last record: without it the collection is not whole. */
  trailer: CollectorTrailer | undefined;
  footprint: CollectorFootprint | undefined;
}

export function nothingTransferred(): Transferred {
  return { files: 0, bytes: 0, trailer: undefined, footprint: undefined };
}

/** Faults of one name that leave the writer usable: that file is told of, and the rest goes on. */
const REFUSALS: ReadonlySet<string> = new Set([
  'path-refused',
  'path-conflict',
  'time-refused',
  'entry-refused',
  'file-too-large',
]);

/** Puts one record of the collector into the capture. */
export async function transfer(
  record: CollectorRecord,
  writer: EvidenceWriter,
  so: Transferred,
): Promise<void> {
  switch (record.kind) {
    case 'open':
      return await volatileFile(writer, 'collector/open.json', jsonBytes(record));
    case 'text':
      return await text(record, writer, so);
    case 'file':
      return await file(record, writer, so);
    case 'coverage':
      return await writer.coverage({
        asked: record.item.toString('utf8'),
        verdict: record.state,
        because: record.reason,
      });
    case 'footprint':
      so.footprint = record;
      return await volatileFile(writer, 'collector/footprint.json', jsonBytes(record));
    case 'trailer':
      so.trailer = record;
      return;
    case 'beat':
      return;
  }
}

function jsonBytes(value: object): Buffer {
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
}

async function volatileFile(writer: EvidenceWriter, path: string, bytes: Buffer): Promise<void> {
  await writer.file({ area: 'volatile', path, mode: 0o440 }, bytes);
}

const SLASH = 0x2f;

async function text(
  record: Extract<CollectorRecord, { kind: 'text' }>,
  writer: EvidenceWriter,
  so: Transferred,
): Promise<void> {
  const path = record.name[0] === SLASH ? record.name.subarray(1) : record.name;
  const meta = { area: 'volatile', path, mode: 0o440 } as const;
  await named(record.name, writer, async () => {
    await content(meta, record.content, writer, so);
    if (record.cut) await partial(record.name, 'cut at its limit', writer);
  });
}

async function file(record: CollectorFile, writer: EvidenceWriter, so: Transferred): Promise<void> {
  const { path, mode, uid, gid, mtime, atime, ctime } = record;
  const meta: FileMeta = { area: 'files', path, mode, uid, gid, mtime, atime, ctime };
  await named(path, writer, async () => {
    so.files += 1;
    if (record.content !== undefined) return await contentOf(record, meta, writer, so);
    if (record.type === 'directory') return await writer.directory(meta);
    if (record.type === 'symlink' && record.link !== undefined) {
      return await writer.symlink({ ...meta, target: record.link });
    }
    const type = TYPES[record.type];
    await writer.listed({ ...meta, type, size: record.size, because: record.withheld });
  });
}

const TYPES: Readonly<Record<CollectedType, FileType>> = {
  file: 'file',
  directory: 'directory',
  symlink: 'symlink',
  fifo: 'fifo',
  socket: 'socket',
  'block-device': 'device',
  'character-device': 'device',
  unknown: 'file',
};

async function contentOf(
  record: CollectorFile,
  meta: FileMeta,
  writer: EvidenceWriter,
  so: Transferred,
): Promise<void> {
  if (record.content === undefined) return;
  await content(meta, record.content, writer, so);
  if (record.offset > 0) {
    await partial(record.path, `only from byte ${record.offset} of ${record.size}`, writer);
  }
}

async function content(
  meta: FileMeta,
  from: CollectorContent,
  writer: EvidenceWriter,
  so: Transferred,
): Promise<void> {
  const result = await writer.file({ ...meta, size: from.bytes }, from);
  so.bytes += from.bytes;
  if (result.fault !== undefined) return;
  const end = from.end();
  if (end.fault !== undefined) {
    await partial(meta.path, 'altered on the way: the digest made in the target differs', writer);
  }
  if (end.flags.length > 0) {
    await partial(meta.path, `while it was read: ${end.flags.join(', ')}`, writer);
  }
}

async function partial(
  path: string | Uint8Array,
  because: string,
  writer: EvidenceWriter,
): Promise<void> {
  await writer.coverage({ asked: nameText(path), verdict: 'partial', because });
}

function nameText(path: string | Uint8Array): string {
  return typeof path === 'string' ? path : Buffer.from(path).toString('utf8');
}

/** A hostile name must not end the whole collection; a name that came before says nothing new. */
async function named(
  path: Uint8Array,
  writer: EvidenceWriter,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof EvidenceFault)) throw error;
    if (error.code === 'path-duplicate') return;
    if (!REFUSALS.has(error.code)) throw error;
    await partial(path, error.message, writer);
  }
}

const NOTES_MAX = 16;
const NOTE_CHARACTERS_MAX = 512;

/** What was done to the target, in the words of the chain; `before` is what its way in noted. */
export function footprintOf(
  so: Transferred,
  sent: { readonly bytes: number; readonly touched: boolean },
  before: readonly string[] = [],
): Footprint {
  const print = so.footprint;
  const notes = before.slice(0, NOTES_MAX - 2).map((one) => one.slice(0, NOTE_CHARACTERS_MAX));
  if (print !== undefined) notes.push(`access times: ${print.atime}`);
  if (sent.touched && print === undefined) {
    notes.push('the collector did not come to tell its own footprint');
  }
  return {
    touched: sent.touched || before.length > 0,
    processesStarted: print?.processesStarted ?? 0,
    filesRead: print?.filesRead ?? so.files,
    filesWritten: print?.filesWritten ?? 0,
    bytesSent: sent.bytes,
    bytesReceived: so.bytes,
    notes,
  };
}
