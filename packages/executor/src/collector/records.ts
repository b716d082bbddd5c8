// SPDX-License-Identifier: Apache-2.0

/** How a content came to its end; known once all of its bytes have been read. */
export interface ContentEnd {
  /** SHA-256 of the bytes received, hex, as their reader found it. */
  readonly sha256: string;
  /** What the digest taken in the target covers: these bytes, the pack they came in, or nothing. */
  readonly covered: 'alone' | 'pack' | 'none';
  /** Set when the target's digest is another one: bytes were altered on the way. */
  readonly fault?: 'digest-mismatch';
  /** What happened to the file meanwhile. */
  readonly flags: readonly ContentFlag[];
  /** Bytes the file really gave; the rest, up to `bytes`, are zeros. Absent where unknown. */
  readonly read?: number;
}

/** `capped` is a limit's doing, the others are the file's. */
export type ContentFlag = 'shrunk' | 'grown' | 'changed' | 'capped';

/**
 * Bytes that are read once, before the next record is asked for; what is left over is skipped. A
 * piece is good until the next one is asked for.
 */
export interface CollectorContent extends AsyncIterable<Buffer> {
  readonly bytes: number;
  /** All of it, where it is here already: good until the next record is asked for. */
  readonly whole?: Buffer;
  /**
   * Holds what the target says against the SHA-256 of all bytes, hex, which their reader makes
   * anyway for what it stores. Throws until the last byte has been read.
   */
  end(sha256: string): ContentEnd;
}

/** The first record: who collects. */
export interface CollectorOpen {
  readonly kind: 'open';
  readonly profile: string;
  readonly pid: number;
  readonly watchdogPid: number;
  /** Undefined where /proc did not say. */
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  /** The target's clock, seconds since 1970, and its uptime in seconds. */
  readonly timeSeconds: number;
  readonly uptimeSeconds: number;
  /** The tool that makes digests in the target, `-` for none. */
  readonly digestTool: string;
  readonly missingTools: readonly string[];
}

/** Something without a size of its own: a pseudo file, or a table made in the target. */
export interface CollectorText {
  readonly kind: 'text';
  readonly name: Buffer;
  readonly cut: boolean;
  readonly content: CollectorContent;
}

export type CollectedType =
  | 'file'
  | 'directory'
  | 'symlink'
  | 'fifo'
  | 'socket'
  | 'block-device'
  | 'character-device'
  | 'unknown';

/** One thing in a file system. Fields that the target could not tell are undefined. */
export interface CollectorFile {
  readonly kind: 'file';
  readonly path: Buffer;
  readonly link: Buffer | undefined;
  readonly type: CollectedType;
  /** Permission bits, 07777. */
  readonly mode: number;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly size: number;
  /** Seconds since 1970 in decimal, with nine decimals where the target has them. */
  readonly atime: string | undefined;
  readonly mtime: string | undefined;
  readonly ctime: string | undefined;
  readonly device: string | undefined;
  readonly inode: string | undefined;
  readonly links: number | undefined;
  /** 512-byte blocks in use: fewer than the size says is a sparse file. */
  readonly blocks: number | undefined;
  /** Major and minor number in hex, `8,1`, of a device node. */
  readonly deviceNode: string | undefined;
  /** Where in the file the content begins. */
  readonly offset: number;
  readonly content: CollectorContent | undefined;
  /** Why a regular file has no content, e.g. `permission`, `private-key`, `budget-bytes`. */
  readonly withheld: string | undefined;
}

/** How it went with one thing that was asked for. */
export interface CollectorCoverage {
  readonly kind: 'coverage';
  readonly item: Buffer;
  readonly state: 'got' | 'partial' | 'denied' | 'absent';
  /** A word such as `permission` or `cap`; undefined when all went well. */
  readonly reason: string | undefined;
  readonly files: number;
  readonly bytes: number;
}

/** A sign of life between records. */
export interface CollectorBeat {
  readonly kind: 'beat';
  readonly uptimeSeconds: number;
}

/** What the collector itself did to the target. */
export interface CollectorFootprint {
  readonly kind: 'footprint';
  readonly pid: number;
  readonly watchdogPid: number;
  /** About how many processes it started; their ids lie between the two that follow. */
  readonly processesStarted: number;
  readonly firstPid: number;
  readonly lastPid: number;
  readonly filesRead: number;
  readonly filesWritten: number;
  /** How the root file system keeps access times: reading moves them unless `noatime`. */
  readonly atime: string;
  readonly seconds: number;
}

/** The end: its counts agree with what was received, and the end marker stood behind it. */
export interface CollectorTrailer {
  readonly kind: 'trailer';
  readonly records: number;
  readonly files: number;
  readonly bytes: number;
  readonly refused: number;
  readonly state: 'complete' | 'partial';
}

export type CollectorRecord =
  | CollectorOpen
  | CollectorText
  | CollectorFile
  | CollectorCoverage
  | CollectorBeat
  | CollectorFootprint
  | CollectorTrailer;
