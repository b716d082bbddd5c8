// SPDX-License-Identifier: Apache-2.0
import type { KeySaid } from '../domain/keys-said.ts';
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

/** What a witness has added to a checkpoint. */
export interface KeptCosignature extends Pick<KeptCheckpoint, 'size' | 'head'> {
  readonly witness: string;
  readonly line: string;
  /** When, by its row. */
  readonly atMs: number;
}

/** What an authority of time has said of a checkpoint: `note` is what it was given. */
export interface KeptAnchor extends KeptCheckpoint {
  readonly authority: string;
  readonly token: Buffer;
}

/** A row of the index of keys. */
export type KeptKey = KeySaid;

/** What a database keeps beside leaves and tree; a mirror keeps none of it. */
export interface KeptBeside {
  /** Rows of entries; more than there are leaves where an index is kept twice. */
  readonly rows: number;
  keys(): Promise<readonly KeptKey[]>;
  cosignatures(): AsyncIterable<readonly KeptCosignature[]>;
  anchors(): AsyncIterable<readonly KeptAnchor[]>;
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
  readonly beside?: KeptBeside | undefined;
}

/** Which promise does not hold: each has an exit code of its own. */
export type FsckClass =
  | 'entry'
  | 'index'
  | 'chain'
  | 'tree'
  | 'batch'
  | 'checkpoint'
  | 'cosignature'
  | 'stamp'
  | 'history';

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
  /** Roots over the heads of all chains that the log holds. */
  readonly heads: number;
  readonly tiles: number;
  readonly batches: number;
  readonly checkpoints: number;
  /** Checkpoints with a signature that was checked by a key given from outside. */
  readonly signed: number;
  readonly cosignatures: number;
  /** Cosignatures by witnesses that were given. */
  readonly cosigned: number;
  readonly stamps: number;
  /** Stamps of an authority that leads to a certificate that was given. */
  readonly stamped: number;
  /** In the order of the log, the first of each kind before others. */
  readonly findings: readonly FsckFinding[];
  /** How many more there are. */
  readonly leftOut: number;
}
