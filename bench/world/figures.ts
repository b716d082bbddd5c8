// SPDX-License-Identifier: Apache-2.0

/** The value below which this share of all values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Smallest, middle and largest value, as a line shows them. */
export function spread(values: readonly number[], digits = 1): string {
  return [0, 0.5, 1].map((share) => quantile(values, share).toFixed(digits)).join(' / ');
}
