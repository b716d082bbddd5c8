// SPDX-License-Identifier: Apache-2.0
import { EvidenceFault } from './fault.ts';
import { type FileType, freeText, nameFields } from './manifest.ts';
import { type Area, bytesOf, printable } from './path-bytes.ts';
import { type MemberHeader, tarMode } from './tar-header.ts';
import { type EpochTime, nanosecondsOf, rfc3339 } from './timestamp.ts';

const MODE_BITS = 0o7777;

/** What is known of a file; what is left out is unknown. */
export interface FileMeta {
  readonly area: Area;
  /** Absolute in `files`, relative elsewhere. Bytes for a name that is no UTF-8. */
  readonly path: string | Uint8Array;
  /** Permission bits; the type bits of st_mode are ignored. */
  readonly mode?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  readonly mtime?: EpochTime | undefined;
  readonly atime?: EpochTime | undefined;
  readonly ctime?: EpochTime | undefined;
}

/** A file that the manifest tells of without taking it into the tar. */
export interface ListedMeta extends FileMeta {
  readonly type: FileType;
  readonly size?: number | undefined;
  readonly target?: string | Uint8Array | undefined;
  readonly device?: { readonly major: number; readonly minor: number } | undefined;
  /** Why its content was not taken. */
  readonly because?: string | undefined;
}

/** The fields of a manifest line that do not depend on content. Throws EvidenceFault. */
export function metaFields(meta: FileMeta): Record<string, unknown> {
  return {
    kind: 'file',
    area: meta.area,
    ...nameFields('path', bytesOf(meta.path)),
    mode: meta.mode === undefined ? undefined : modeText(count(meta.mode, 'mode')),
    uid: count(meta.uid, 'uid'),
    gid: count(meta.gid, 'gid'),
    mtime: time(meta.mtime),
    atime: time(meta.atime),
    ctime: time(meta.ctime),
  };
}

/** The whole manifest line of a file that is not in the tar. Throws EvidenceFault. */
export function listedFields(meta: ListedMeta): Record<string, unknown> {
  const device = meta.device;
  return {
    ...metaFields(meta),
    type: meta.type,
    size: count(meta.size, 'size') ?? 0,
    ...(meta.target === undefined ? {} : nameFields('link', bytesOf(meta.target))),
    device: device && { major: count(device.major, 'major'), minor: count(device.minor, 'minor') },
    because: meta.because === undefined ? undefined : freeText(meta.because),
  };
}

/** What the tar header says of a file. Throws EvidenceFault. */
export function memberOf(
  meta: FileMeta,
  member: Pick<MemberHeader, 'type' | 'name' | 'size' | 'link'>,
): MemberHeader {
  return {
    ...member,
    mode: tarMode(member.type, meta.mode),
    uid: count(meta.uid, 'uid') ?? 0,
    gid: count(meta.gid, 'gid') ?? 0,
    mtime: meta.mtime === undefined ? 0n : nanosecondsOf(meta.mtime),
  };
}

/** The size a file is declared with. Throws EvidenceFault `entry-refused`, `file-too-large`. */
export function declaredSize(meta: FileMeta, size: number | undefined, bytesMax: number): number {
  const declared = count(size, 'size');
  if (declared === undefined) {
    throw new EvidenceFault('entry-refused', 'content that is streamed needs its size up front');
  }
  if (declared > bytesMax) {
    const name = printable(bytesOf(meta.path));
    const message = `${name}: ${declared} bytes, at most ${bytesMax} are taken; list it instead`;
    throw new EvidenceFault('file-too-large', message);
  }
  return declared;
}

function count<Value extends number | undefined>(value: Value, what: string): Value {
  if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) return value;
  throw new EvidenceFault('entry-refused', `${what} is no whole number from 0 to 2^53-1`);
}

function modeText(mode: number): string {
  return (mode & MODE_BITS).toString(8).padStart(4, '0');
}

function time(value: EpochTime | undefined): string | undefined {
  return value === undefined ? undefined : rfc3339(nanosecondsOf(value));
}
