// SPDX-License-Identifier: Apache-2.0

/** Remembers the last bytes of a stream and nothing else. */
export interface Tail {
  push(bytes: Buffer): void;
  /** What is remembered, as text; hostile, with replacement characters where it is no UTF-8. */
  text(): string;
}

/** Makes a tail that never holds more than `bytesMax`. */
export function byteTail(bytesMax: number): Tail {
  let kept = Buffer.alloc(0);
  return {
    push(bytes) {
      const last = bytes.subarray(-bytesMax);
      kept = Buffer.concat([
        kept.subarray(Math.max(0, kept.length + last.length - bytesMax)),
        last,
      ]);
    },
    text: () => kept.toString('utf8'),
  };
}
