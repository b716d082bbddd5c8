// SPDX-License-Identifier: Apache-2.0
import { EvidenceFault } from './fault.ts';
import { LINE_BYTES_MAX } from './limits.ts';

const NEWLINE = 0x0a;

/** One line with its newline; `ended` is false for a last line without one. */
export interface Line {
  readonly number: number;
  readonly bytes: Buffer;
  readonly ended: boolean;
}

/**
 * Cuts a stream into lines of at most LINE_BYTES_MAX bytes. Throws EvidenceFault `line-too-long`.
 */
export async function* splitLines(input: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  let pieces: Buffer[] = [];
  let held = 0;
  let number = 1;
  const guard = (length: number): void => {
    if (length <= LINE_BYTES_MAX) return;
    const message = `line ${number}: more than ${LINE_BYTES_MAX} bytes`;
    throw new EvidenceFault('line-too-long', message);
  };
  for await (const chunk of input) {
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      guard(held + end + 1);
      yield { number, bytes: Buffer.concat([...pieces, rest.subarray(0, end + 1)]), ended: true };
      number += 1;
      pieces = [];
      held = 0;
      rest = rest.subarray(end + 1);
    }
    guard(held + rest.length);
    // A copy: the remainder of a chunk must not keep the whole chunk alive.
    if (rest.length > 0) pieces.push(Buffer.from(rest));
    held += rest.length;
  }
  if (held > 0) yield { number, bytes: Buffer.concat(pieces), ended: false };
}
