// SPDX-License-Identifier: Apache-2.0
import { countOf, type Header } from './header.ts';
import type {
  CollectedType,
  CollectorBeat,
  CollectorCoverage,
  CollectorFile,
  CollectorFootprint,
  CollectorOpen,
  CollectorTrailer,
  ContentFlag,
} from './records.ts';

/** A field that is missing or is not what it has to be; the reader makes it a fault. */
export class FieldError extends Error {
  override readonly name = 'FieldError';
}

const TYPES: ReadonlyMap<number, CollectedType> = new Map([
  [0x1, 'fifo'],
  [0x2, 'character-device'],
  [0x4, 'directory'],
  [0x6, 'block-device'],
  [0x8, 'file'],
  [0xa, 'symlink'],
  [0xc, 'socket'],
]);
const STATES = ['got', 'partial', 'denied', 'absent'] as const;
const FLAGS: readonly ContentFlag[] = ['shrunk', 'grown', 'changed', 'capped'];

/** A field that has to be a whole number. */
export function count(header: Header, name: string): number {
  const value = countOf(header, name);
  if (value === undefined) throw new FieldError(`${header.kind}: ${name} is not a number`);
  return value;
}

/** A field that has to be there. */
export function word(header: Header, name: string): string {
  const value = header.fields.get(name);
  if (value === undefined) throw new FieldError(`${header.kind}: ${name} is missing`);
  return value;
}

/** A field whose `-` means that the target could not tell. */
export function known(header: Header, name: string): string | undefined {
  const value = word(header, name);
  return value === '-' ? undefined : value;
}

function knownCount(header: Header, name: string): number | undefined {
  return known(header, name) === undefined ? undefined : count(header, name);
}

function seconds(header: Header, name: string): string | undefined {
  const value = known(header, name);
  if (value === undefined || /^-?\d{1,16}(\.\d{1,9})?$/.test(value)) return value;
  throw new FieldError(`${header.kind}: ${name} is not a time`);
}

function oneOf<const T extends string>(header: Header, name: string, all: readonly T[]): T {
  const value = word(header, name);
  const found = all.find((candidate) => candidate === value);
  if (found === undefined) throw new FieldError(`${header.kind}: ${name} is none of ${all}`);
  return found;
}

/** The digest a header claims; undefined where the target had no tool for it. */
export function claimedDigest(header: Header): string | undefined {
  const value = known(header, 'sha256');
  if (value === undefined || /^[0-9a-f]{64}$/.test(value)) return value;
  throw new FieldError(`${header.kind}: sha256 is no digest`);
}

/** What a content's end says about its file. */
export function flagsOf(header: Header): readonly ContentFlag[] {
  const names = known(header, 'flags')?.split(',') ?? [];
  return names.map((name) => {
    const flag = FLAGS.find((candidate) => candidate === name);
    if (flag === undefined) throw new FieldError(`${header.kind}: unknown flag`);
    return flag;
  });
}

/** What the header says about a file; path, link and content are added by the reader. */
export function fileFields(
  header: Header,
): Omit<CollectorFile, 'path' | 'link' | 'content' | 'offset' | 'withheld'> {
  const raw = word(header, 'mode');
  if (!/^[0-9a-f]{1,4}$/.test(raw)) throw new FieldError(`${header.kind}: mode is not hex`);
  const mode = Number.parseInt(raw, 16);
  return {
    kind: 'file',
    type: TYPES.get(mode >> 12) ?? 'unknown',
    mode: mode & 0o7777,
    uid: knownCount(header, 'uid'),
    gid: knownCount(header, 'gid'),
    size: count(header, 'size'),
    atime: seconds(header, 'atime'),
    mtime: seconds(header, 'mtime'),
    ctime: seconds(header, 'ctime'),
    device: known(header, 'dev'),
    inode: known(header, 'ino'),
    links: knownCount(header, 'nlink'),
    blocks: knownCount(header, 'blocks'),
    deviceNode: known(header, 'rdev'),
  };
}

/** Each of these makes one kind of record of its header. */
export function openRecord(header: Header): CollectorOpen {
  return {
    kind: 'open',
    profile: word(header, 'profile'),
    pid: count(header, 'pid'),
    watchdogPid: count(header, 'watchdog'),
    uid: knownCount(header, 'uid'),
    gid: knownCount(header, 'gid'),
    timeSeconds: count(header, 'time'),
    uptimeSeconds: count(header, 'uptime'),
    digestTool: word(header, 'digest'),
    missingTools: known(header, 'missing')?.split(',') ?? [],
  };
}

export function coverageRecord(header: Header, item: Buffer): CollectorCoverage {
  return {
    kind: 'coverage',
    item,
    state: oneOf(header, 'state', STATES),
    reason: known(header, 'reason'),
    files: count(header, 'files'),
    bytes: count(header, 'bytes'),
  };
}

export function beatRecord(header: Header): CollectorBeat {
  return { kind: 'beat', uptimeSeconds: count(header, 'uptime') };
}

export function footprintRecord(header: Header): CollectorFootprint {
  return {
    kind: 'footprint',
    pid: count(header, 'pid'),
    watchdogPid: count(header, 'watchdog'),
    processesStarted: count(header, 'started'),
    firstPid: count(header, 'firstpid'),
    lastPid: count(header, 'lastpid'),
    filesRead: count(header, 'read'),
    filesWritten: count(header, 'written'),
    atime: word(header, 'atime'),
    seconds: count(header, 'seconds'),
  };
}

export function trailerRecord(header: Header): CollectorTrailer {
  return {
    kind: 'trailer',
    records: count(header, 'records'),
    files: count(header, 'files'),
    bytes: count(header, 'bytes'),
    refused: count(header, 'refused'),
    state: oneOf(header, 'state', ['complete', 'partial']),
  };
}
