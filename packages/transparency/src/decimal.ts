// SPDX-License-Identifier: Apache-2.0

/** What fits a signed 64-bit number, as the sizes and times of other programs do. */
export const NUMBER_MAX = 2n ** 63n - 1n;
const DECIMAL = /^(?:0|[1-9][0-9]{0,18})$/;

/** A decimal without sign and leading zeros, up to NUMBER_MAX, or undefined. */
export function fromDecimal(text: string): bigint | undefined {
  if (!DECIMAL.test(text)) return undefined;
  const value = BigInt(text);
  return value <= NUMBER_MAX ? value : undefined;
}
