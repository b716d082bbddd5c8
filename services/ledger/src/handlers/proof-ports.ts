// SPDX-License-Identifier: Apache-2.0
import type { TileReader } from '@impound/transparency/tile-reader.ts';

/** A checkpoint under both names of the log, each with every signature that it has. */
export interface SignedSize {
  readonly size: number;
  readonly own: string;
  readonly sigsum: string;
  /** When it was signed, by the clock of the database, in Unix milliseconds. */
  readonly atMs: number;
}

/** Where an entry of a chain stands; behind a seal, the leaf that sigsum keeps of it. */
export interface Placed {
  readonly acqSeq: number;
  readonly index: number;
  /** 128 bytes, where the next leaf of the log is one of sigsum. */
  readonly sealLeaf: Buffer | undefined;
}

/** The log as proofs are made of it. */
export interface ProofBook {
  /** How many leaves are committed. */
  size(): Promise<number>;
  /** The newest size that is signed under both names. */
  signed(): Promise<SignedSize | undefined>;
  /** The newest that enough witnesses have signed. */
  witnessed(): Promise<SignedSize | undefined>;
  /** Hashes of tiles of the committed tree. */
  readonly tiles: TileReader;
  /** The chain's version, and entries after one that stand below an index. */
  places(of: {
    readonly tenant: string;
    readonly acquisitionId: string;
    readonly after: number;
    readonly below: number;
    readonly limit: number;
  }): Promise<{ readonly version: number; readonly entries: readonly Placed[] }>;
}

/** By which keys and which policy checkpoints are to be verified. */
export interface PublicKeys {
  readonly own: string;
  readonly sigsum: string;
  readonly submitter: Buffer;
  readonly policy: string;
}
