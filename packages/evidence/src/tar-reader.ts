// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, byteSource } from './byte-source.ts';
import { EvidenceFault, type EvidenceFaultCode } from './fault.ts';
import { decodeMember, type Extensions, number, readPax, withoutNul } from './tar-decode.ts';
import {
  BLOCK_BYTES,
  checksumOf,
  encodeHeader,
  type MemberHeader,
  paddingOf,
} from './tar-header.ts';

/** A pax header or a GNU long name; a path of PATH_BYTES_MAX fits many times. */
const EXTENSION_BYTES_MAX = 256 * 1_024;
const CHUNK_BYTES_MAX = 1_024 * 1_024;
/** One of each extension, header and body. */
const RAW_MAX = 6;

/** One member of a tar. Its content must be read before the next member is asked for. */
export interface TarMember extends MemberHeader {
  /** Where its first header block begins in the tar. */
  readonly offset: number;
  /** The flag of a member that is no file, directory or symlink; its content is passed over. */
  readonly foreignFlag: string | undefined;
  /** False where its header blocks are not exactly those that docs/spec/evidence.md demands. */
  readonly exact: boolean;
  readonly content: AsyncIterable<Buffer>;
  /** After the content: false where the padding holds something. */
  readonly padded: () => boolean;
}

/**
 * The members of a tar, one after the other, in constant memory; what is left of a member's
 * content is passed over. Throws EvidenceFault `tar-broken`, `tar-truncated`, `trailing-data`.
 */
export async function* tarMembers(tar: AsyncIterable<Uint8Array>): AsyncGenerator<TarMember> {
  const source = byteSource(tar);
  for (;;) {
    const offset = source.position();
    const head = await readHead(source, offset);
    if (head === undefined) break;
    const { size } = head.member;
    const rest = { size, bytes: size, padding: paddingOf(size), clean: true };
    const content = { [Symbol.asyncIterator]: () => contentOf(source, rest, offset) };
    yield { ...head.member, ...head.marks, offset, content, padded: () => rest.clean };
    for await (const _ of content);
  }
  if ((await source.some(1)) !== undefined) {
    throw fault('trailing-data', source.position() - 1, 'bytes behind the end of the archive');
  }
}

function fault(code: EvidenceFaultCode, offset: number, why: string): EvidenceFault {
  return new EvidenceFault(code, `tar byte ${offset}: ${why}`);
}

interface Head {
  readonly member: MemberHeader;
  readonly marks: Pick<TarMember, 'foreignFlag' | 'exact'>;
}

/** The header of the next member with its extensions, or undefined at the end of the archive. */
async function readHead(source: ByteSource, offset: number): Promise<Head | undefined> {
  const raw: Buffer[] = [];
  let extensions: Extensions = {};
  for (;;) {
    const block = await readBlock(source);
    if (isZero(block)) break;
    raw.push(block);
    const flag = String.fromCharCode(block[156] ?? 0);
    if (!isExtension(flag)) return headOf(block, { raw, extensions, flag, offset });
    if (raw.length > RAW_MAX) throw fault('tar-broken', offset, 'a chain of extensions');
    const body = await readExtension(source, block, raw);
    extensions = { ...extensions, ...extension(flag, body, offset) };
  }
  if (raw.length > 0) throw fault('tar-broken', offset, 'an extension without a member');
  await readEnd(source);
  return undefined;
}

type ExtensionFlag = 'x' | 'L' | 'K';

function isExtension(flag: string): flag is ExtensionFlag {
  return flag === 'x' || flag === 'L' || flag === 'K';
}

function isZero(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}

function headOf(
  block: Buffer,
  found: {
    readonly raw: Buffer[];
    readonly extensions: Extensions;
    readonly flag: string;
    readonly offset: number;
  },
): Head {
  const member = decodeMember(block, found.extensions);
  if (member === undefined) throw fault('tar-broken', found.offset, 'a number that is none');
  const foreignFlag = ['0', '5', '2'].includes(found.flag) ? undefined : found.flag;
  const exact = foreignFlag === undefined && encodeHeader(member).equals(Buffer.concat(found.raw));
  // Tools disagree whether bytes follow such a header, so there is no safe way to go on.
  if ((member.type !== 'file' || foreignFlag !== undefined) && member.size !== 0) {
    throw fault('tar-broken', found.offset, 'content behind what is no regular file');
  }
  return { member, marks: { foreignFlag, exact } };
}

async function readBlock(source: ByteSource): Promise<Buffer> {
  const offset = source.position();
  const block = await source.read(BLOCK_BYTES);
  if (block.length < BLOCK_BYTES) throw fault('tar-truncated', offset, 'it ends in a header');
  if (isZero(block)) return block;
  if (number(block.subarray(148, 156)) !== BigInt(checksumOf(block))) {
    throw fault('tar-broken', offset, 'no member begins here: the checksum is wrong');
  }
  return block;
}

async function readEnd(source: ByteSource): Promise<void> {
  const offset = source.position();
  const block = await source.read(BLOCK_BYTES);
  if (block.length < BLOCK_BYTES) throw fault('tar-truncated', offset, 'half an end of archive');
  if (!isZero(block)) {
    throw fault('tar-broken', offset, 'one block of zeros where two end an archive');
  }
}

async function readExtension(source: ByteSource, block: Buffer, raw: Buffer[]): Promise<Buffer> {
  const offset = source.position();
  const size = Number(number(block.subarray(124, 136)) ?? -1n);
  if (size < 1 || size > EXTENSION_BYTES_MAX) {
    throw fault('tar-broken', offset, `an extension of ${size} bytes`);
  }
  const padded = size + paddingOf(size);
  const body = await source.read(padded);
  if (body.length < padded) throw fault('tar-truncated', offset, 'it ends in an extension');
  raw.push(body);
  return body.subarray(0, size);
}

function extension(flag: ExtensionFlag, body: Buffer, offset: number): Extensions {
  if (flag === 'L') return { longName: withoutNul(body) };
  if (flag === 'K') return { longLink: withoutNul(body) };
  const pax = readPax(body);
  if (pax === undefined) throw fault('tar-broken', offset, 'pax records that are none');
  return { pax };
}

interface Rest {
  readonly size: number;
  bytes: number;
  padding: number;
  clean: boolean;
}

/** What is left of a member, so that a second reader goes on where the first one stopped. */
async function* contentOf(
  source: ByteSource,
  rest: Rest,
  offset: number,
): AsyncGenerator<Buffer, void, void> {
  while (rest.bytes > 0) {
    const chunk = await source.some(Math.min(rest.bytes, CHUNK_BYTES_MAX));
    if (chunk === undefined) throw fault('tar-truncated', offset, 'it ends in a member');
    rest.bytes -= chunk.length;
    yield chunk;
  }
  const zeros = await source.read(rest.padding);
  if (zeros.length < rest.padding) {
    throw fault('tar-truncated', offset, `it ends behind a member of ${rest.size} bytes`);
  }
  rest.padding = 0;
  rest.clean &&= isZero(zeros);
}
