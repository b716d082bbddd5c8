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

/** The way to a value, from the outermost; it is put into words only where something is wrong. */
type Trail = (string | number)[];

/**
 * Canonical JSON (RFC 8785, JCS) of a value made of safe integers, booleans, null, well-formed
 * strings, arrays and plain objects. A property that is undefined is left out.
 * Throws TypeError for anything else, naming the path.
 */
export function canonical(value: unknown): string {
  return textOf(value, []);
}

function textOf(value: unknown, trail: Trail): string {
  if (trail.length > DEPTH_MAX) throw fault(trail, `nested deeper than ${DEPTH_MAX}`);
  if (typeof value === 'string') return stringText(value, trail);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return numberText(value, trail);
  if (Array.isArray(value)) return arrayText(value, trail);
  if (typeof value === 'object') return objectText(value, trail);
  throw fault(trail, `${typeof value} has no canonical form`);
}

function fault(trail: Trail, because: string): TypeError {
  const path = trail.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`));
  return new TypeError(`$${path.join('')}: ${because}`);
}

/** Short, and nothing in it to escape: what keys and most values are. */
const PLAIN = /^[ !#-[\]-~]{0,64}$/;

function stringText(value: string, trail: Trail): string {
  if (PLAIN.test(value)) return `"${value}"`;
  if (!value.isWellFormed()) throw fault(trail, 'a string with a lone surrogate');
  return JSON.stringify(value);
}

function numberText(value: number, trail: Trail): string {
  if (!Number.isSafeInteger(value)) throw fault(trail, 'not a safe integer');
  return Object.is(value, -0) ? '0' : String(value);
}

function arrayText(items: readonly unknown[], trail: Trail): string {
  let text = '';
  for (const [at, item] of items.entries()) {
    trail.push(at);
    text += `${at === 0 ? '' : ','}${textOf(item, trail)}`;
    trail.pop();
  }
  return `[${text}]`;
}

function objectText(value: object, trail: Trail): string {
  let text = '';
  for (const key of keysInOrder(value)) {
    const item = (value as Record<string, unknown>)[key];
    if (item === undefined) continue;
    const name = stringText(key, trail);
    trail.push(key);
    text += `${text === '' ? '' : ','}${name}:${textOf(item, trail)}`;
    trail.pop();
  }
  return `{${text}}`;
}

/** By UTF-16 code units, which is how JavaScript compares strings and what RFC 8785 asks for. */
function keysInOrder(value: object): readonly string[] {
  const keys = Object.keys(value);
  const isInOrder = keys.every((key, at) => at === 0 || (keys[at - 1] as string) <= key);
  return isInOrder ? keys : keys.toSorted();
}
