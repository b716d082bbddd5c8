// SPDX-License-Identifier: Apache-2.0
import { textOf } from './path-bytes.ts';
import { decimalSeconds } from './timestamp.ts';

/** Tar is made of blocks of this many bytes. */
export const BLOCK_BYTES = 512;
/** Two blocks of zeros end an archive. */
export const END_OF_ARCHIVE_BYTES = 2 * BLOCK_BYTES;
/** The `name` and `linkname` fields of ustar. */
export const NAME_BYTES = 100;
/** The biggest number in a `size` or `mtime` field: 11 octal digits. */
const FIELD_11_MAX = 8n ** 11n - 1n;
/** The biggest number in a `uid` or `gid` field: 7 octal digits. */
const FIELD_7_MAX = 8n ** 7n - 1n;

/** What the tar header of a member says. `mtime` is nanoseconds since the Unix epoch. */
export interface MemberHeader {
  readonly type: 'file' | 'directory' | 'symlink';
  /** Without the slash that a directory's name ends in inside the tar. */
  readonly name: Buffer;
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: bigint;
  readonly link: Buffer | undefined;
}

const TYPE_FLAG = { file: '0', directory: '5', symlink: '2' } as const;

/**
 * The permission bits a member gets in the tar: no set-user-id, set-group-id or sticky bit, and
 * always readable by its owner, so that an extracted copy can neither act nor hide from its
 * analyst. The manifest keeps the mode as it was.
 */
export function tarMode(type: MemberHeader['type'], mode: number | undefined): number {
  if (type === 'symlink') return 0o777;
  if (type === 'directory') return ((mode ?? 0o700) & 0o777) | 0o700;
  return ((mode ?? 0o600) & 0o777) | 0o400;
}

/**
 * All header blocks of a member: GNU `K` and `L` for names over 100 bytes (the only form busybox
 * knows), pax `x` for everything that ustar cannot say, then the ustar header itself.
 */
export function encodeHeader(member: MemberHeader): Buffer {
  const name = nameInTar(member);
  const link = member.link ?? Buffer.alloc(0);
  const records = paxRecords(member, name, link);
  return Buffer.concat([
    ...(link.length > NAME_BYTES ? extension('K', '././@LongLink', terminated(link)) : []),
    ...(name.length > NAME_BYTES ? extension('L', '././@LongLink', terminated(name)) : []),
    ...(records.length > 0 ? extension('x', '././@PaxHeader', records) : []),
    ustarBlock({ ...member, name, link, flag: TYPE_FLAG[member.type] }),
  ]);
}

function nameInTar(member: MemberHeader): Buffer {
  if (member.type !== 'directory') return member.name;
  return Buffer.concat([member.name, Buffer.from('/')]);
}

function terminated(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(1)]);
}

/** Bytes that bring content of this size to a full block. */
export function paddingOf(size: number): number {
  return (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
}

function extension(flag: string, name: string, body: Buffer): Buffer[] {
  const block = ustarBlock({
    flag,
    name: Buffer.from(name),
    link: Buffer.alloc(0),
    size: body.length,
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime: 0n,
  });
  return [block, body, Buffer.alloc(paddingOf(body.length))];
}

interface UstarFields extends Omit<MemberHeader, 'type' | 'link'> {
  readonly flag: string;
  readonly link: Buffer;
}

function ustarBlock(fields: UstarFields): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  fields.name.copy(block, 0, 0, NAME_BYTES);
  number(block.subarray(100, 108), BigInt(fields.mode));
  number(block.subarray(108, 116), BigInt(fields.uid));
  number(block.subarray(116, 124), BigInt(fields.gid));
  number(block.subarray(124, 136), BigInt(fields.size));
  number(block.subarray(136, 148), fieldSeconds(fields.mtime));
  block.write(fields.flag, 156, 'latin1');
  fields.link.copy(block, 157, 0, NAME_BYTES);
  block.write('ustar\x0000', 257, 'latin1');
  number(block.subarray(329, 337), 0n);
  number(block.subarray(337, 345), 0n);
  block.write(`${octal(checksumOf(block), 6)}\0 `, 148, 'latin1');
  return block;
}

/** The sum of all bytes of a header block, its checksum field counted as spaces. */
export function checksumOf(block: Buffer): number {
  let sum = 0x20 * 8;
  for (let i = 0; i < BLOCK_BYTES; i += 1) sum += i >= 148 && i < 156 ? 0 : (block[i] ?? 0);
  return sum;
}

function octal(value: bigint | number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

/** Octal digits and a NUL; base 256 behind a byte 0x80 where octal has no room. */
function number(field: Buffer, value: bigint): void {
  const digits = octal(value, field.length - 1);
  if (digits.length < field.length) {
    field.write(digits, 'latin1');
    return;
  }
  field.write(value.toString(16).padStart(field.length * 2, '0'), 'hex');
  field[0] = 0x80;
}

function fieldSeconds(mtime: bigint): bigint {
  const seconds = mtime / 1_000_000_000n;
  if (seconds < 0n) return 0n;
  return seconds > FIELD_11_MAX ? FIELD_11_MAX : seconds;
}

function paxRecords(member: MemberHeader, name: Buffer, link: Buffer): Buffer {
  const records: Buffer[] = [];
  const binary = textOf(name) === undefined || textOf(link) === undefined;
  if (binary) records.push(record('hdrcharset', 'BINARY'));
  if (needsPax(name)) records.push(record('path', name));
  if (needsPax(link)) records.push(record('linkpath', link));
  if (BigInt(member.size) > FIELD_11_MAX) records.push(record('size', String(member.size)));
  if (BigInt(member.uid) > FIELD_7_MAX) records.push(record('uid', String(member.uid)));
  if (BigInt(member.gid) > FIELD_7_MAX) records.push(record('gid', String(member.gid)));
  if (fieldSeconds(member.mtime) * 1_000_000_000n !== member.mtime) {
    records.push(record('mtime', decimalSeconds(member.mtime)));
  }
  return Buffer.concat(records);
}

function needsPax(name: Buffer): boolean {
  return name.length > NAME_BYTES || name.some((byte) => byte > 0x7f);
}

/** "<length> <key>=<value>\n", where the length counts itself. */
function record(key: string, value: string | Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')]);
  let length = rest.length;
  while (String(length).length + rest.length !== length) {
    length = String(length).length + rest.length;
  }
  return Buffer.concat([Buffer.from(String(length)), rest]);
}
