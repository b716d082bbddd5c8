// SPDX-License-Identifier: Apache-2.0
import type { EvidenceObject } from '@impound/contracts/evidence.ts';
import type { ByteRange } from './byte-range.ts';
import type { ObjectName, SessionName } from './object-name.ts';

/** A part as the store holds it. */
export interface Part {
  readonly number: number;
  readonly bytes: number;
  readonly sha256: string;
}

/** What an upload holds so far; `completed` where the object stands already. */
export interface Holding {
  readonly parts: readonly Part[];
  readonly completed?: EvidenceObject;
}

/** What the whole object must be. */
export interface Whole {
  readonly parts: number;
  readonly bytes: number;
  readonly sha256: string;
}

/** What reading an object gave. */
export interface Found {
  readonly bytes: number;
  readonly sha256: string;
}

/** A place for evidence where an object is written once and never changed. Throws StoreFault. */
export interface EvidenceStore {
  /** Makes room for an upload; the same upload again changes nothing. */
  open(session: SessionName): Promise<void>;
  holding(session: SessionName): Promise<Holding>;
  /** Keeps a part once its bytes have the digest that was announced. */
  put(
    session: SessionName,
    part: Part,
    content: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void>;
  /** Makes the object of its parts, or gives the one that stands. */
  complete(session: SessionName, whole: Whole, signal: AbortSignal): Promise<EvidenceObject>;
  /** Drops the parts of an upload. A completed object stays. */
  abandon(session: SessionName): Promise<void>;
  stat(object: ObjectName): Promise<EvidenceObject | undefined>;
  read(object: ObjectName, range: ByteRange): AsyncIterable<Uint8Array>;
  /**
   * Reads a whole object again; undefined where there is none. For one cause it is read once: who
   * stops waiting can ask again for the same cause.
   */
  verify(
    reading: { readonly object: ObjectName; readonly cause: string },
    signal: AbortSignal,
  ): Promise<Found | undefined>;
}

export type StoreCode =
  | 'part-differs'
  | 'part-refused'
  | 'digest-mismatch'
  | 'object-complete'
  | 'object-differs'
  | 'object-mismatch'
  | 'sessions-exhausted'
  | 'store-full';

/** The store refuses; the message says what to do next. */
export class StoreFault extends Error {
  override readonly name = 'StoreFault';
  readonly code: StoreCode;
  constructor(code: StoreCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
