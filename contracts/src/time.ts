// SPDX-License-Identifier: Apache-2.0

/** RFC 3339 UTC with six decimals (the last three are zero: this clock counts milliseconds). */
export function timeOf(millisecondsSinceEpoch: number): string {
  return new Date(millisecondsSinceEpoch).toISOString().replace('Z', '000Z');
}

/** Milliseconds since the Unix epoch; the microseconds are cut off. */
export function millisecondsOf(time: string): number {
  return Date.parse(time);
}
