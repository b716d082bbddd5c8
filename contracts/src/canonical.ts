// SPDX-License-Identifier: Apache-2.0

/** What canonical JSON here can hold: no floats, no undefined, no lone surrogates. */
export type CanonicalValue =
  | string
  | number
  | boolean
  | null
  | readonly CanonicalValue[]
  | { readonly [key: string]: CanonicalValue | undefined };

const DEPTH_MAX = 32;

/**
 * Canonical JSON (RFC 8785, JCS) of a value made of safe integers, booleans, null, well-formed
 * strings, arrays and plain objects. A property that is undefined is left out.
 * Throws TypeError for anything else, naming the path.
 */
export function canonical(value: unknown, path = '$', depth = 0): string {
  if (depth > DEPTH_MAX) throw new TypeError(`${path}: nested deeper than ${DEPTH_MAX}`);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return canonicalString(value, path);
  if (typeof value === 'number') return canonicalNumber(value, path);
  if (Array.isArray(value)) {
    return `[${value.map((item, i) => canonical(item, `${path}[${i}]`, depth + 1)).join()}]`;
  }
  if (typeof value === 'object') return canonicalObject(value, path, depth);
  throw new TypeError(`${path}: ${typeof value} has no canonical form`);
}

function canonicalString(value: string, path: string): string {
  if (!value.isWellFormed()) throw new TypeError(`${path}: a string with a lone surrogate`);
  return JSON.stringify(value);
}

function canonicalNumber(value: number, path: string): string {
  if (!Number.isSafeInteger(value)) throw new TypeError(`${path}: not a safe integer`);
  return Object.is(value, -0) ? '0' : String(value);
}

function canonicalObject(value: object, path: string, depth: number): string {
  const parts: string[] = [];
  // Array.prototype.toSorted compares UTF-16 code units, which is the order RFC 8785 asks for.
  for (const key of Object.keys(value).toSorted()) {
    const item = (value as Record<string, unknown>)[key];
    if (item === undefined) continue;
    parts.push(`${canonicalString(key, path)}:${canonical(item, `${path}.${key}`, depth + 1)}`);
  }
  return `{${parts.join()}}`;
}
