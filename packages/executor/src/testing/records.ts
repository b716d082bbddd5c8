// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type {
  CollectorContent,
  CollectorFile,
  CollectorRecord,
  ContentEnd,
} from '../collector/records.ts';

/** A content that comes in two pieces, and ends as told. */
export function content(text: string, end: Partial<ContentEnd> = {}): CollectorContent {
  const bytes = Buffer.from(text);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return {
    bytes: bytes.length,
    async *[Symbol.asyncIterator]() {
      yield bytes.subarray(0, 3);
      yield bytes.subarray(3);
    },
    end: () => ({ sha256, covered: 'alone', flags: [], read: bytes.length, ...end }),
  };
}

/** One file of a target, with all that is usually known of it. */
export function file(path: string | Buffer, more: Partial<CollectorFile> = {}): CollectorFile {
  return {
    kind: 'file',
    path: Buffer.from(path as Buffer),
    link: undefined,
    type: 'file',
    mode: 0o640,
    uid: 7,
    gid: 8,
    size: more.content?.bytes ?? 0,
    atime: '1700000000.5',
    mtime: '1600000000',
    ctime: undefined,
    device: '1',
    inode: '2',
    links: 1,
    blocks: 8,
    deviceNode: '0,0',
    offset: 0,
    content: undefined,
    withheld: undefined,
    ...more,
  };
}

/** One text. */
export const text = (name: string, more: object = {}): CollectorRecord => ({
  kind: 'text',
  name: Buffer.from(name),
  cut: false,
  content: content('some text'),
  ...more,
});
/** How it went with one thing. */
export const covered = (item: string, more: object = {}): CollectorRecord => ({
  kind: 'coverage',
  item: Buffer.from(item),
  state: 'got',
  reason: undefined,
  files: 1,
  bytes: 9,
  ...more,
});
/** The first record. */
export const OPEN: CollectorRecord = {
  kind: 'open',
  profile: 'triage',
  pid: 5,
  watchdogPid: 6,
  uid: 0,
  gid: 0,
  timeSeconds: 1,
  uptimeSeconds: 1,
  digestTool: 'sha256sum',
  missingTools: [],
};
/** What the collector did. */
export const FOOTPRINT = {
  kind: 'footprint',
  pid: 5,
  watchdogPid: 6,
  processesStarted: 40,
  firstPid: 5,
  lastPid: 44,
  filesRead: 3,
  filesWritten: 0,
  atime: 'relatime',
  seconds: 1,
} as const;
