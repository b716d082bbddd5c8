// SPDX-License-Identifier: Apache-2.0
import { findingLog } from './finding.ts';
import { memberLines } from './manifest-reader.ts';

const BACKSLASH = 0x5c;
const ESCAPES: ReadonlyMap<number, string> = new Map([
  [BACKSLASH, '\\\\'],
  [0x0a, '\\n'],
  [0x0d, '\\r'],
]);

/**
 * One line for `sha256sum -c`. A name with a backslash, newline or carriage return is escaped and
 * the line begins with a backslash, as GNU coreutils 9 writes and reads it.
 */
export function checksumLine(sha256: string, name: Buffer): Buffer {
  const escaped = name.some((byte) => ESCAPES.has(byte));
  const pieces = escaped ? [...name].map(escapedByte) : [name];
  const start = `${escaped ? '\\' : ''}${sha256}  `;
  return Buffer.concat([Buffer.from(start), ...pieces, Buffer.from('\n')]);
}

function escapedByte(byte: number): Buffer {
  const escaped = ESCAPES.get(byte);
  return escaped === undefined ? Buffer.of(byte) : Buffer.from(escaped);
}

/** The checksum list of all regular files that a manifest has in its archive, in order. */
export async function* checksumList(manifest: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  // What is wrong with a manifest is for the verifier to say, not for a list of its files.
  const log = findingLog();
  for await (const { line, tarName } of memberLines(manifest, log)) {
    if (line.sha256 !== undefined) yield checksumLine(line.sha256, tarName);
  }
}
