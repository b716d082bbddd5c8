// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import { lineBytes } from '../manifest.ts';
import { encodeHeader, type MemberHeader, paddingOf } from '../tar-header.ts';
import { HEADER, type Objects } from './specimen.ts';

/** What the files of forged captures hold. */
export const CONTENT = Buffer.from('root:x:0:0\n');
const END = Buffer.alloc(1_024);

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function header(name: string, more: Partial<MemberHeader> = {}): MemberHeader {
  const zero = { size: 0, mode: 0o600, uid: 0, gid: 0, mtime: 0n, link: undefined };
  return { ...zero, type: 'file', name: Buffer.from(name), ...more };
}

/** A member as a writer makes it. */
export function member(name: string, content = CONTENT, more: Partial<MemberHeader> = {}): Buffer {
  const head = encodeHeader(header(name, { size: content.length, ...more }));
  return Buffer.concat([head, content, Buffer.alloc(paddingOf(content.length))]);
}

/** The manifest line of `member('files/<name>')`. */
export function fileLine(name: string, more: object = {}): object {
  const content = { sha256: sha256(CONTENT), size: CONTENT.length };
  const path = { area: 'files', path: `/${name}`, tarPath: `files/${name}` };
  return { kind: 'file', type: 'file', ...path, ...content, ...more };
}

const FIRST = {
  ...HEADER,
  kind: 'header',
  format: 'impound-evidence',
  version: 1,
  archive: 'evidence.tar.zst',
};

/** What is wrong with a forged capture. */
export interface Lie {
  readonly tar?: readonly Buffer[];
  readonly lines?: readonly object[];
  readonly frames?: (tar: Buffer) => Buffer;
  readonly end?: object;
  readonly manifest?: (manifest: Buffer) => Buffer;
}

/** A capture that is right in everything but what the lie says. */
export function forged(lie: Lie): Objects {
  const tar = Buffer.concat([...(lie.tar ?? [member('files/a')]), END]);
  const archive = (lie.frames ?? frame)(tar);
  const lines = lie.lines ?? [fileLine('a')];
  const before = Buffer.concat([FIRST, ...lines].map(lineBytes));
  const files = lines.filter((line) => (line as { kind: string }).kind === 'file');
  const bytes = files.reduce((sum, line) => sum + (line as { size: number }).size, 0);
  const end = {
    kind: 'end',
    files: files.length,
    bytes,
    coverage: { got: 0, partial: 0, denied: 0, absent: 0 },
    archive: { bytes: archive.length, sha256: sha256(archive), frames: 1, tarBytes: tar.length },
    sha256: sha256(before),
    ...lie.end,
  };
  const manifest = Buffer.concat([before, lineBytes(end)]);
  return { archive, manifest: lie.manifest?.(manifest) ?? manifest };
}

/** One frame that says its size. */
export function frame(content: Buffer): Buffer {
  return zstdCompressSync(content, { pledgedSrcSize: content.length } as object);
}

/** A member with text put into its header, and a checksum that fits. */
export function patched(name: string, at: number, text: string): Buffer {
  const bytes = member(name);
  bytes.write(text, at, 'latin1');
  bytes.write('        ', 148, 'latin1');
  const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return bytes;
}
