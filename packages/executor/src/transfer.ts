// SPDX-License-Identifier: Apache-2.0
import type { Footprint } from '@impound/contracts/evidence.ts';
import type { FileMeta, ListedMeta } from '@impound/evidence/entry.ts';
import { EvidenceFault } from '@impound/evidence/fault.ts';
import type { FileType } from '@impound/evidence/manifest.ts';
import type { EvidenceWriter } from '@impound/evidence/writer.ts';
import { sayable } from './broken.ts';
import type {
  CollectedType,
  CollectorContent,
  CollectorFile,
  CollectorFootprint,
  CollectorRecord,
  CollectorTrailer,
  ContentEnd,
  ContentFlag,
} from './collector/records.ts';

/** What has come so far: the caller's view of a transfer, also after it broke. */
export interface Transferred {
  files: number;
  /** Files whose content began to come. */
  contents: number;
  /** Of contents that went into the capture. */
  bytes: number;
  /** All bytes that the target sent. */
  received: number;
  /** Set by the last record: without it the collection is not whole. */
  trailer: CollectorTrailer | undefined;
  footprint: CollectorFootprint | undefined;
  /** Set where it was not the target that broke. */
  refusedBy: unknown;
  namesExhausted: boolean;
}

export function nothingTransferred(): Transferred {
  return {
    files: 0,
    contents: 0,
    bytes: 0,
    received: 0,
    trailer: undefined,
    footprint: undefined,
    refusedBy: undefined,
    namesExhausted: false,
  };
}

/** Where records go. */
interface Into {
  readonly writer: EvidenceWriter;
  readonly so: Transferred;
}

/** Puts one record of the collector into the capture. */
export async function transfer(
  record: CollectorRecord,
  writer: EvidenceWriter,
  so: Transferred,
): Promise<void> {
  const into = { writer, so };
  switch (record.kind) {
    case 'open':
      return await told('collector/open.json', record, into);
    case 'text':
      return await text(record, into);
    case 'file':
      return await file(record, into);
    case 'coverage':
      return await writer.coverage({
        asked: nameText(record.item),
        verdict: record.state,
        because: record.reason,
      });
    case 'footprint':
      so.footprint ??= record;
      return await told('collector/footprint.json', record, into);
    case 'trailer':
      so.trailer = record;
      return;
    case 'beat':
      return;
  }
}

async function told(path: string, record: object, into: Into): Promise<void> {
  const bytes = Buffer.from(`${JSON.stringify(record, null, 2)}\n`);
  await named(Buffer.from(path), into, async () => {
    await into.writer.file({ area: 'volatile', path, mode: 0o440 }, bytes);
  });
}

const SLASH = 0x2f;

async function text(record: Extract<CollectorRecord, { kind: 'text' }>, into: Into): Promise<void> {
  const path = record.name[0] === SLASH ? record.name.subarray(1) : record.name;
  const meta = { area: 'volatile', path, mode: 0o440 } as const;
  await named(record.name, into, async () => {
    const flaws = await content(meta, record.content, into);
    if (record.cut) flaws.push('cut at its limit');
    await partial(record.name, flaws, into);
  });
}

async function file(record: CollectorFile, into: Into): Promise<void> {
  const { writer, so } = into;
  const { path, mode, uid, gid, mtime, atime, ctime } = record;
  const meta: FileMeta = { area: 'files', path, mode, uid, gid, mtime, atime, ctime };
  await named(path, into, async () => {
    so.files += 1;
    if (record.content !== undefined) {
      const flaws = await content(meta, record.content, into);
      return await partial(path, [...limitOf(record), ...flaws], into);
    }
    if (record.type === 'directory') return await writer.directory(meta);
    if (record.type === 'symlink' && record.link !== undefined) {
      return await writer.symlink({ ...meta, target: record.link });
    }
    const type = TYPES[record.type];
    const device = deviceOf(record.deviceNode);
    await writer.listed({ ...meta, type, size: record.size, device, because: record.withheld });
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

function deviceOf(node: string | undefined): ListedMeta['device'] {
  const [, major, minor] = /^([0-9a-f]{1,8}),([0-9a-f]{1,8})$/.exec(node ?? '') ?? [];
  if (major === undefined || minor === undefined || (major === '0' && minor === '0')) return;
  return { major: Number.parseInt(major, 16), minor: Number.parseInt(minor, 16) };
}

/** Of a file above a limit the manifest knows the size that came: the whole is told beside it. */
function limitOf({ offset, size, content }: CollectorFile): string[] {
  if (content === undefined || (offset === 0 && content.bytes >= size)) return [];
  const from = `only ${content.bytes} bytes from byte ${offset} on`;
  return [`${from}, of ${size}: it is larger than the limit for one file`];
}

/** Writes a content, and gives what is wrong with it. */
async function content(meta: FileMeta, from: CollectorContent, into: Into): Promise<string[]> {
  into.so.contents += 1;
  const { whole, bytes: size } = from;
  const result = await into.writer.file({ ...meta, size }, whole ?? counted(from, into.so));
  into.so.bytes += whole?.length ?? 0;
  if (result.fault !== undefined) return [];
  const end = from.end(result.sha256);
  const flaws = end.flags.filter((flag) => flag !== 'capped').map((flag) => FLAWS[flag](end, from));
  if (end.fault === undefined) return flaws;
  const over = end.covered === 'pack' ? ' over it and the files sent with it' : '';
  return [`altered on the way: the digest made in the target${over} differs`, ...flaws];
}

type Flaw = (end: ContentEnd, content: CollectorContent) => string;

const FLAWS: Readonly<Record<Exclude<ContentFlag, 'capped'>, Flaw>> = {
  shrunk: ({ read }, { bytes }) => {
    const own = read === undefined ? 'its last bytes' : `all from byte ${read} on to ${bytes}`;
    return `it shrank while it was read: ${own} are zeros of the collector`;
  },
  grown: () => 'it grew while it was read: what was added is missing',
  changed: () => 'it changed while it was read',
};

async function* counted(from: CollectorContent, so: Transferred): AsyncGenerator<Buffer> {
  for await (const piece of from) {
    so.bytes += piece.length;
    yield piece;
  }
}

/** One line for one thing, whatever is wrong with it; none where nothing is. */
async function partial(path: Uint8Array, flaws: readonly string[], into: Into): Promise<void> {
  if (flaws.length === 0) return;
  const because = flaws.join('; ');
  await into.writer.coverage({ asked: nameText(path), verdict: 'partial', because });
}

function nameText(path: Uint8Array): string {
  return Buffer.from(path).toString('utf8') || '(a thing without a name)';
}

/** Faults of one name that leave the writer usable: that file is told of, and the rest goes on. */
const REFUSALS: ReadonlySet<string> = new Set([
  'path-refused',
  'path-conflict',
  'time-refused',
  'entry-refused',
  'file-too-large',
]);

/** A hostile name must not end the whole collection; a name that came before says nothing new. */
async function named(path: Uint8Array, into: Into, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof EvidenceFault)) throw error;
    if (error.code === 'path-duplicate') return;
    if (error.code === 'names-exhausted') return await exhausted(error, into);
    if (!REFUSALS.has(error.code)) throw error;
    await partial(path, [error.message], into);
  }
}

/** Told once: a line for each of millions would be no smaller than what has no room. */
async function exhausted({ message }: EvidenceFault, into: Into): Promise<void> {
  if (into.so.namesExhausted) return;
  into.so.namesExhausted = true;
  await partial(Buffer.from('collection'), [`${message}: what came later is missing`], into);
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
  const notes = before.slice(0, NOTES_MAX - 2).map((one) => sayable(one, NOTE_CHARACTERS_MAX));
  if (print !== undefined) notes.push(`access times: ${print.atime}`);
  if (sent.touched && print === undefined) {
    notes.push('the collector did not come to tell its own footprint');
  }
  return {
    touched: sent.touched || before.length > 0,
    processesStarted: print?.processesStarted ?? 0,
    filesRead: print?.filesRead ?? so.contents,
    filesWritten: print?.filesWritten ?? 0,
    bytesSent: sent.bytes,
    bytesReceived: so.received,
    notes,
  };
}
