// SPDX-License-Identifier: Apache-2.0
import { type MemberHeader, NAME_BYTES } from './tar-header.ts';
import { parseEpoch } from './timestamp.ts';

const EQUALS = 0x3d;
const NEWLINE = 0x0a;
const SPACE = 0x20;
const SLASH = 0x2f;

/** What stood in front of a member's own header. */
export interface Extensions {
  readonly longName?: Buffer;
  readonly longLink?: Buffer;
  readonly pax?: ReadonlyMap<string, Buffer>;
}

/** A field in octal, or in base 256 behind a byte 0x80; undefined where it is neither. */
export function number(field: Buffer): bigint | undefined {
  if (field[0] === 0x80) return BigInt(`0x${field.subarray(1).toString('hex')}`);
  const [, digits] = /^ *([0-7]*)[ \0]*$/.exec(field.toString('latin1')) ?? [];
  if (digits === undefined) return undefined;
  return digits === '' ? 0n : BigInt(`0o${digits}`);
}

/** The bytes in front of the first NUL. */
export function withoutNul(field: Buffer): Buffer {
  const end = field.indexOf(0);
  return end < 0 ? field : field.subarray(0, end);
}

/** The records of a pax header, "<length> <key>=<value>\n" each; undefined where one is broken. */
export function readPax(body: Buffer): ReadonlyMap<string, Buffer> | undefined {
  const records = new Map<string, Buffer>();
  let at = 0;
  while (at < body.length) {
    const space = body.indexOf(SPACE, at);
    const digits = space < 0 ? '' : body.toString('latin1', at, Math.min(space, at + 8));
    const end = /^[1-9]\d{0,6}$/.test(digits) ? at + Number(digits) : -1;
    const equals = body.indexOf(EQUALS, space);
    if (end < 0 || end > body.length || equals < 0 || equals >= end) return undefined;
    if (body[end - 1] !== NEWLINE) return undefined;
    records.set(body.toString('latin1', space + 1, equals), body.subarray(equals + 1, end - 1));
    at = end;
  }
  return records;
}

/**
 * What a member's header says, pax before GNU before ustar as GNU tar has it; undefined where a
 * number is none. A name is without the slash that ends a directory's.
 */
export function decodeMember(block: Buffer, extensions: Extensions): MemberHeader | undefined {
  const { pax, longName, longLink } = extensions;
  const type = typeOf(block);
  const numbers = {
    size: natural(pax?.get('size'), block.subarray(124, 136)),
    mode: natural(undefined, block.subarray(100, 108)),
    uid: natural(pax?.get('uid'), block.subarray(108, 116)),
    gid: natural(pax?.get('gid'), block.subarray(116, 124)),
    mtime: time(pax?.get('mtime'), block.subarray(136, 148)),
  };
  if (!allKnown(numbers)) return undefined;
  const name = pax?.get('path') ?? longName ?? withoutNul(block.subarray(0, NAME_BYTES));
  const linkField = withoutNul(block.subarray(157, 157 + NAME_BYTES));
  const link = type === 'symlink' ? (pax?.get('linkpath') ?? longLink ?? linkField) : undefined;
  return { type, name: directoryName(name, type), ...numbers, link };
}

type Numbers = Pick<MemberHeader, 'size' | 'mode' | 'uid' | 'gid' | 'mtime'>;

function allKnown(
  numbers: { [Key in keyof Numbers]: Numbers[Key] | undefined },
): numbers is Numbers {
  return Object.values(numbers).every((value) => value !== undefined);
}

function typeOf(block: Buffer): MemberHeader['type'] {
  const flag = String.fromCharCode(block[156] ?? 0);
  if (flag === '5') return 'directory';
  return flag === '2' ? 'symlink' : 'file';
}

function directoryName(name: Buffer, type: MemberHeader['type']): Buffer {
  const slash = type === 'directory' && name.at(-1) === SLASH;
  return slash ? name.subarray(0, -1) : name;
}

function natural(record: Buffer | undefined, field: Buffer): number | undefined {
  const text = record?.toString('latin1');
  if (text !== undefined && !/^\d{1,16}$/.test(text)) return undefined;
  const value = text === undefined ? number(field) : BigInt(text);
  if (value === undefined || value > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  return Number(value);
}

function time(record: Buffer | undefined, field: Buffer): bigint | undefined {
  if (record !== undefined) return parseEpoch(record.toString('latin1'));
  const seconds = number(field);
  return seconds === undefined ? undefined : seconds * 1_000_000_000n;
}
