// SPDX-License-Identifier: Apache-2.0
import type { EvidenceObject, Retention, StoreKind } from '@impound/contracts/evidence.ts';
import type { ByteRange } from './byte-range.ts';
import type { ObjectName, SessionName } from './object-name.ts';

/** A part as a sender announces it. */
export interface Part {
  readonly number: number;
  readonly bytes: number;
  readonly sha256: string;
}

/** A part as the store holds it; not every store can tell the digest of one. */
export interface HeldPart {
  readonly number: number;
  readonly bytes: number;
  readonly sha256?: string | undefined;
}

/** What an upload holds so far; `completed` where the object stands already. */
export interface Holding {
  readonly parts: readonly HeldPart[];
  readonly completed?: EvidenceObject;
}

/** What the whole object must be. */
export interface Whole {
  readonly parts: number;
  readonly bytes: number;
  readonly sha256: string;
}

/** The request that puts one part, and nothing else, into the store itself. The URL is a secret. */
export interface DirectPut {
  readonly url: string;
  /** All of them must be sent as they are: they are part of what was signed. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What reading an object gave. */
export interface Found {
  readonly bytes: number;
  readonly sha256: string;
  /** Which version or generation was read, where the store has more than one. */
  readonly versionId?: string | undefined;
  /** What the store told these bytes by before they were read, where it tells anything. */
  readonly fingerprint?: string | undefined;
}

/** How a store holds a version now. */
export interface Held {
  readonly bytes: number;
  /** Absent: the store cannot tell without reading, and no byte of a version ever changes there. */
  readonly sha256?: string | undefined;
  /** Everything that the store tells these bytes by; absent where it never does. */
  readonly fingerprints?: readonly string[];
  /** The version that a reader gets who names none; undefined: it was deleted, or has none. */
  readonly topVersionId: string | undefined;
  readonly retention: Retention;
}

/** An object, and the version of it where the store has more than one. */
export interface Version {
  readonly object: ObjectName;
  readonly versionId: string | undefined;
}

/**
 * A place for evidence where an object is written once and never changed. Any number of processes
 * may use one store unless it is a directory. Throws StoreFault.
 */
export interface EvidenceStore {
  readonly kind: StoreKind;
  /** Makes room for an upload; the same upload again changes nothing. */
  open(session: SessionName): Promise<void>;
  holding(session: SessionName): Promise<Holding>;
  /** True where `put` has done with a chunk when it asks for the next one. */
  readonly takesLent?: boolean;
  /** Keeps a part once its bytes have the digest that was announced. */
  put(
    session: SessionName,
    part: Part,
    content: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * Where the sender can put this part into the store itself, without this process; undefined where
   * the store holds it already. Absent where a store takes parts by `put` alone.
   */
  readonly direct?: (session: SessionName, part: Part) => Promise<DirectPut | undefined>;
  /**
   * Makes the object of its parts, or gives the one that stands. A store that cannot read parts
   * takes the sender's word for the digest of the whole: `verify` finds out before anything counts.
   */
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
  /** Locks what was verified, where that is configured, and tells how the store says it is held. */
  retain(version: Version): Promise<Retention>;
  /** Looks at a version again that was stored at this time; undefined where it is not there. */
  inspect(version: Version, storedMs: number): Promise<Held | undefined>;
  /** Which uploads are unfinished; absent where the store does not tell by whom each one is. */
  readonly unfinished?: () => Promise<readonly SessionName[]>;
  /** Removes what nobody touched for SESSION_MS_MAX; gives how many uploads. */
  sweep(nowMs: number): Promise<number>;
}

export type StoreCode =
  | 'part-differs'
  | 'part-refused'
  | 'digest-mismatch'
  | 'object-complete'
  | 'object-differs'
  | 'object-mismatch'
  | 'sessions-exhausted'
  | 'store-away'
  | 'store-refused'
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
