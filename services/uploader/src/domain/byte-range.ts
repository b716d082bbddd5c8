// SPDX-License-Identifier: Apache-2.0

/** Bytes from `start` up to and without `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Reads a Range header (RFC 9110, section 14.2) of an object of `bytes` bytes. Undefined: the whole
 * is to be sent, also where several ranges are asked for. 'unsatisfiable': 416.
 */
export function readRange(
  header: string | undefined,
  bytes: number,
): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/i.exec(header?.trim() ?? '');
  if (match === null) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return undefined;
  if (first === '') return ranged(Math.max(0, bytes - Number(last)), bytes);
  const end = last === '' ? bytes : Math.min(bytes, Number(last) + 1);
  // A range that ends before it begins is no range, and is ignored as the RFC demands.
  if (last !== '' && Number(last) < Number(first)) return undefined;
  return ranged(Number(first), end);
}

function ranged(start: number, end: number): ByteRange | 'unsatisfiable' {
  return start < end ? { start, end } : 'unsatisfiable';
}
