// SPDX-License-Identifier: Apache-2.0

/** Bytes pulled in the sizes that a parser wants, whatever the sizes they come in. */
export interface ByteSource {
  /** The next `length` bytes; fewer only at the end. */
  read(length: number): Promise<Buffer>;
  /** At least one and at most `lengthMax` bytes, without copying; undefined at the end. */
  some(lengthMax: number): Promise<Buffer | undefined>;
  /** Bytes handed out so far. */
  position(): number;
}

/** Reads an iterable as a parser does. Holds one chunk of it at a time. */
export function byteSource(input: AsyncIterable<Uint8Array>): ByteSource {
  const iterator = input[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  let position = 0;

  async function fill(): Promise<boolean> {
    while (head.length === 0) {
      const { done, value } = await iterator.next();
      if (done === true) return false;
      head = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    }
    return true;
  }

  async function some(lengthMax: number): Promise<Buffer | undefined> {
    if (!(await fill())) return undefined;
    const taken = head.subarray(0, lengthMax);
    head = head.subarray(taken.length);
    position += taken.length;
    return taken;
  }

  async function read(length: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    let missing = length;
    while (missing > 0) {
      const piece = await some(missing);
      if (piece === undefined) break;
      pieces.push(piece);
      missing -= piece.length;
    }
    return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
  }

  return { read, some, position: () => position };
}
