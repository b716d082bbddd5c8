// SPDX-License-Identifier: Apache-2.0

/** Most captures of a context, and every manifest of one, fit into this. */
const FIRST_BYTES = 64 * 1_024;
const GROWTH = 4;

/** Memory that is filled from its start and grows with what comes, up to `bytesMax`. */
export interface Room {
  /** Takes a copy of all of `bytes`: the caller knows that they fit. */
  put(bytes: Uint8Array): void;
  used(): number;
  /** What was put, until it is emptied and put into again. */
  filled(): Buffer;
  empty(): void;
}

/**
 * Memory for little is little: V8 counts buffers of many MiB as a reason to look through the whole
 * heap, and one such look costs more than a small capture.
 */
export function roomOf(bytesMax: number): Room {
  let memory: Buffer | undefined;
  let used = 0;
  const grow = (bytes: number): Buffer => {
    let size = memory?.length ?? FIRST_BYTES;
    while (size < bytes) size *= GROWTH;
    const larger = Buffer.allocUnsafeSlow(Math.min(size, bytesMax));
    memory?.copy(larger, 0, 0, used);
    memory = larger;
    return larger;
  };
  return {
    put(bytes) {
      const needed = used + bytes.length;
      const into = memory !== undefined && memory.length >= needed ? memory : grow(needed);
      into.set(bytes, used);
      used = needed;
    },
    used: () => used,
    filled: () => (memory ?? Buffer.alloc(0)).subarray(0, used),
    empty: () => {
      used = 0;
    },
  };
}
