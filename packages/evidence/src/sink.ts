// SPDX-License-Identifier: Apache-2.0

/** What a store says it holds after an object was completed. */
export interface StoredRef {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Its place in the store, where the store told it. */
  readonly key?: string;
}

/** Where one object goes, part by part, in order. Each call waits for the one before. */
export interface ObjectSink {
  /**
   * Stores the next part: PART_BYTES_MIN to PART_BYTES_MAX bytes, the last one may be shorter.
   * Rejects when the part is not safely stored. Once it has settled the bytes are used anew.
   */
  part(bytes: Uint8Array, sha256Hex: string): Promise<void>;
  /** Ends the object; rejects when what is stored is not `bytes` long or hashes differently. */
  complete(whole: { readonly bytes: number; readonly sha256Hex: string }): Promise<StoredRef>;
  /** Gives up; what was stored may be dropped. Never rejects. */
  abort(): Promise<void>;
}

/** Where the objects of a capture go. */
export interface EvidenceSink {
  /** Opens one object by its name, e.g. `evidence.tar.zst`. Write once: a taken name rejects. */
  object(name: string, signal: AbortSignal): Promise<ObjectSink>;
}
