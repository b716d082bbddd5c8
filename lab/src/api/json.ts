// SPDX-License-Identifier: Apache-2.0

/** A JSON object. */
export type JsonRecord = Record<string, unknown>;

/** True for JSON objects, not for arrays and null. */
export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
