// SPDX-License-Identifier: Apache-2.0
import { CollectorFault, type CollectorFaultCode } from './fault.ts';

const LF = 0x0a;

/** Reads lines, exact counts and pieces from a stream of chunks, pulling no more than it needs. */
export interface ByteSource {
  /** Bytes handed out so far. */
  readonly position: number;
  /** The next line without its LF; one of more than `bytesMax` is `too-large`, or what is given. */
  line(bytesMax: number, tooLong?: () => CollectorFault): Promise<Buffer>;
  /** Exactly `count` bytes in one buffer; the caller has bounded `count`. */
  exactly(count: number): Promise<Buffer>;
  /** Fills all of `bytes`, and gives them. */
  into(bytes: Buffer): Promise<Buffer>;
  /** Between 1 and `countMax` bytes, as they came. */
  some(countMax: number): Promise<Buffer>;
  /** Whether the stream has ended here. */
  ended(): Promise<boolean>;
  close(): Promise<void>;
  fault(code: CollectorFaultCode, message: string): CollectorFault;
}

/** Reads a process's stdout; a chunk is asked for when the one before is used up. */
export function byteSource(stdout: AsyncIterable<Buffer>): ByteSource {
  const chunks = stdout[Symbol.asyncIterator]();
  let chunk: Buffer = Buffer.alloc(0);
  let position = 0;

  const fault = (code: CollectorFaultCode, say: string) => new CollectorFault(code, say, position);
  const take = (count: number): Buffer => {
    const taken = chunk.subarray(0, count);
    chunk = chunk.subarray(count);
    position += taken.length;
    return taken;
  };
  const ended = async (): Promise<boolean> => {
    while (chunk.length === 0) {
      const next = await chunks.next();
      if (next.done) return true;
      chunk = next.value;
    }
    return false;
  };
  const more = async (): Promise<void> => {
    if (await ended()) throw fault('truncated', 'the stream ended before its end marker');
  };

  const tooLarge = (max: number) => fault('too-large', `a line of more than ${max} bytes`);
  const line = async (bytesMax: number, tooLong = () => tooLarge(bytesMax)) => {
    const parts: Buffer[] = [];
    let length = 0;
    for (let at = -1; at === -1; ) {
      await more();
      at = chunk.indexOf(LF);
      // A copy: where the line goes on, the chunk it began in is gone.
      const part = Buffer.from(take(at === -1 ? chunk.length : at));
      length += part.length;
      if (length > bytesMax) throw tooLong();
      parts.push(part);
    }
    take(1);
    return Buffer.concat(parts);
  };

  const into = async (bytes: Buffer): Promise<Buffer> => {
    for (let filled = 0; filled < bytes.length; ) {
      await more();
      filled += take(bytes.length - filled).copy(bytes, filled);
    }
    return bytes;
  };

  return {
    get position() {
      return position;
    },
    line,
    exactly: (count) => into(Buffer.allocUnsafe(count)),
    into,
    some: (countMax) => more().then(() => take(countMax)),
    ended,
    close: async () => void (await chunks.return?.()),
    fault,
  };
}
