// SPDX-License-Identifier: Apache-2.0

const QUOTE = 0x27;
const ESCAPED_QUOTE = Buffer.from("'\\''");

/**
 * One word of a POSIX shell that stands for exactly these bytes (single quotes, POSIX 2.2.2).
 * Throws RangeError for a NUL, which no shell can carry.
 */
export function quoted(bytes: Uint8Array): Buffer {
  if (bytes.includes(0)) throw new RangeError('a path holds a NUL byte; no such file can exist');
  const parts: Uint8Array[] = [Buffer.of(QUOTE)];
  let from = 0;
  for (let at = bytes.indexOf(QUOTE); at !== -1; at = bytes.indexOf(QUOTE, from)) {
    parts.push(bytes.subarray(from, at), ESCAPED_QUOTE);
    from = at + 1;
  }
  parts.push(bytes.subarray(from), Buffer.of(QUOTE));
  return Buffer.concat(parts);
}
