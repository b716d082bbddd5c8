// SPDX-License-Identifier: Apache-2.0
import { promisify } from 'node:util';
import { constants, zstdDecompress } from 'node:zlib';
import type { ByteSource } from './byte-source.ts';
import { EvidenceFault, type EvidenceFaultCode } from './fault.ts';
import { FRAME_BYTES_MAX } from './limits.ts';

const MAGIC = 0xfd2fb528;
const BLOCK_RLE = 1;
const BLOCK_RESERVED = 3;
const BLOCK_BYTES_MAX = 128 * 1_024;
const CHECKSUM_BYTES = 4;
const CHUNK_BYTES_MAX = 1_024 * 1_024;
const CHUNK_BYTES_MIN = 64;
/** No frame needs a window that is bigger than its content: 2^26 bytes are FRAME_BYTES_MAX. */
const PARAMS = { [constants.ZSTD_d_windowLogMax]: 26 };
const decompress = promisify(zstdDecompress);

/** One compressed frame and what its header promises. Numbered from 1. */
export interface Frame {
  readonly number: number;
  /** Where it begins in the object. */
  readonly offset: number;
  readonly bytes: Buffer;
  readonly contentBytes: number;
}

/**
 * The next frame, found by walking its blocks (RFC 8878 section 3.1.1), or undefined at the end.
 * Throws EvidenceFault: `frame-refused` for what is no plain frame with a content size,
 * `frame-too-large`, `archive-truncated`. Holds no more than one frame.
 */
export async function readFrame(source: ByteSource, number: number): Promise<Frame | undefined> {
  const offset = source.position();
  const start = await source.read(5);
  if (start.length === 0) return undefined;
  const fail = (problem: Problem): EvidenceFault =>
    new EvidenceFault(problem[0], `frame ${number} at byte ${offset}: ${problem[1]}`);
  const form = formOf(start);
  if (!('sizeBytes' in form)) throw fail(form);
  const header = await source.read(form.windowBytes + form.sizeBytes);
  const contentBytes = contentSize(header.subarray(form.windowBytes), form.sizeBytes);
  if (contentBytes > FRAME_BYTES_MAX) {
    throw fail(['frame-too-large', `${contentBytes} bytes, at most ${FRAME_BYTES_MAX}`]);
  }
  const limit = contentBytes + Math.ceil(contentBytes / 128) + 2 * BLOCK_BYTES_MAX;
  const pieces = [start, header];
  const problem = await readBlocks(source, { pieces, limit });
  if (problem !== undefined) throw fail(problem);
  const checksum = await source.read(form.checksumBytes);
  if (checksum.length < form.checksumBytes) throw fail(['archive-truncated', 'in its checksum']);
  return { number, offset, bytes: Buffer.concat([...pieces, checksum]), contentBytes };
}

interface Form {
  readonly windowBytes: number;
  readonly sizeBytes: number;
  readonly checksumBytes: number;
}

/** What the frame header descriptor says of the rest of the header (RFC 8878 section 3.1.1.1.1). */
function formOf(start: Buffer): Form | Problem {
  if (start.length < 5) return ['archive-truncated', 'it ends in its header'];
  if (start.readUInt32LE(0) !== MAGIC) return ['frame-refused', 'no zstd frame begins here'];
  const descriptor = start[4] ?? 0;
  if ((descriptor & 0x0b) !== 0) return ['frame-refused', 'a dictionary or a reserved bit'];
  const single = (descriptor & 0x20) !== 0;
  const sizeBytes = [single ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  if (sizeBytes === 0) return ['frame-refused', 'it does not say the size of its content'];
  const checksumBytes = (descriptor & 0x04) === 0 ? 0 : CHECKSUM_BYTES;
  return { windowBytes: single ? 0 : 1, sizeBytes, checksumBytes };
}

function contentSize(field: Buffer, sizeBytes: number): number {
  // A header cut short gives a size of 0 here; the missing blocks then tell of the cut.
  if (field.length < sizeBytes) return 0;
  if (sizeBytes === 8) return Number(field.readBigUInt64LE(0));
  return field.readUIntLE(0, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
}

type Problem = readonly [EvidenceFaultCode, string];

async function readBlocks(
  source: ByteSource,
  frame: { readonly pieces: Buffer[]; readonly limit: number },
): Promise<Problem | undefined> {
  for (let total = 0; total <= frame.limit; ) {
    const block = await readBlock(source);
    if (!('body' in block)) return block;
    frame.pieces.push(block.header, block.body);
    total += block.header.length + block.body.length;
    if (block.last) return undefined;
  }
  return ['frame-too-large', 'more compressed bytes than content'];
}

interface Block {
  readonly header: Buffer;
  readonly body: Buffer;
  readonly last: boolean;
}

async function readBlock(source: ByteSource): Promise<Block | Problem> {
  const header = await source.read(3);
  if (header.length < 3) return ['archive-truncated', 'it ends between two blocks'];
  const word = header.readUIntLE(0, 3);
  const type = (word >> 1) & 3;
  const size = word >> 3;
  if (type === BLOCK_RESERVED) return ['frame-refused', 'a block of the reserved type'];
  // RFC 8878 section 3.1.1.2.4: for a run-length block this is the size it unpacks to.
  if (size > BLOCK_BYTES_MAX) return ['frame-refused', 'a block of more than 128 KiB'];
  const length = type === BLOCK_RLE ? 1 : size;
  const body = await source.read(length);
  if (body.length < length) return ['archive-truncated', 'it ends in a block'];
  return { header, body, last: (word & 1) === 1 };
}

/** The content of a frame. Throws EvidenceFault `frame-broken`. */
export async function unpackFrame(frame: Frame): Promise<Buffer> {
  const { contentBytes } = frame;
  try {
    const chunkSize = Math.min(Math.max(contentBytes, CHUNK_BYTES_MIN), CHUNK_BYTES_MAX);
    const maxOutputLength = Math.max(contentBytes, 1);
    const options = { chunkSize, maxOutputLength, params: PARAMS };
    const content = await decompress(frame.bytes, options);
    if (content.length === contentBytes) return content;
  } catch (error) {
    throw broken(frame, { cause: error });
  }
  throw broken(frame);
}

function broken(frame: Frame, options?: ErrorOptions): EvidenceFault {
  const end = frame.offset + frame.bytes.length;
  const message = `frame ${frame.number}, bytes ${frame.offset} to ${end}: it does not unpack`;
  return new EvidenceFault('frame-broken', message, options);
}
