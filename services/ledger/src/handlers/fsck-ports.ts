// SPDX-License-Identifier: Apache-2.0
import type { Before, Columns } from '../domain/recheck.ts';

/** One leaf as it is kept. */
export interface KeptLeaf {
  readonly idx: number;
  readonly entry: Buffer;
  /** What a database keeps beside the bytes; a mirror keeps none. */
  readonly kept?:
    | {
        readonly leaf: Buffer;
        /** Undefined: the row says that it is no entry of a chain. */
        readonly columns: Columns | undefined;
        /** By the columns, the entry before it in its chain. */
        readonly before: Before | undefined;
      }
    | undefined;
}

/** A full tile as it is kept; a mirror keeps no roots. */
export interface KeptTile {
  readonly n: number;
  readonly hashes: Buffer;
  readonly root?: Buffer | undefined;
}

/** What a batch says of the log after it. */
export interface KeptBatch {
  readonly sizeAfter: number;
  readonly sizeBefore: number | undefined;
  readonly root: Buffer;
  readonly edge: Buffer;
}

/** A published note, and where it is kept. */
export interface KeptCheckpoint {
  readonly size: number;
  readonly head: string;
  readonly note: string;
}

/** A log as somebody keeps it: a database, or a mirror. All come in their order, page by page. */
export interface KeptLog {
  /** How many leaves it claims, by its batches or its checkpoint. */
  readonly size: number;
  /** How many leaves there are. */
  readonly leaves: number;
  entries(signal: AbortSignal): AsyncIterable<readonly KeptLeaf[]>;
  tiles(level: number): AsyncIterable<readonly KeptTile[]>;
  batches(): AsyncIterable<readonly KeptBatch[]>;
  checkpoints(): AsyncIterable<readonly KeptCheckpoint[]>;
}

/** Which promise does not hold: each has an exit code of its own. */
export type FsckClass = 'entry' | 'index' | 'chain' | 'tree' | 'batch' | 'checkpoint' | 'history';

/** One thing that does not fit. */
export interface FsckFinding {
  readonly class: FsckClass;
  /** The leaf that it is about, or the size at which the log does not fit. */
  readonly idx: number;
  readonly eventId?: string | undefined;
  readonly what: string;
}

/** What was looked at, and what does not fit. */
export interface FsckReport {
  readonly size: number;
  /** Over all leaves, from their bytes; undefined where one is missing. */
  readonly root: string | undefined;
  readonly entries: number;
  readonly tiles: number;
  readonly batches: number;
  readonly checkpoints: number;
  /** Checkpoints with a signature that was checked by a key given from outside. */
  readonly signed: number;
  /** In the order of the log, the first of each kind before others. */
  readonly findings: readonly FsckFinding[];
  /** How many more there are. */
  readonly leftOut: number;
}
