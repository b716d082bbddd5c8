// SPDX-License-Identifier: Apache-2.0
import { JSON_DEPTH_MAX } from './limits.ts';
import { Refusal } from './problem.ts';

/**
 * Reads JSON of a stranger. Throws Refusal where it is none, is nested too deep, or names a
 * property twice, because then two readers could see two different orders.
 */
export function readJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refusal('json-refused', 'send JSON (RFC 8259)');
  }
  // Only what is JSON is walked: where a string has no end, each quote in it is looked behind.
  refuseDepth(text);
  refuseTwice(text);
  return value;
}

/** Strings, and the marks that open, close and divide: enough to walk JSON that is well-formed. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[[\]{},:]/g;

function refuseDepth(text: string): void {
  let depth = 0;
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === '{' || token === '[') depth += 1;
    if (token === '}' || token === ']') depth -= 1;
    if (depth > JSON_DEPTH_MAX) {
      throw new Refusal('json-refused', `nest at most ${JSON_DEPTH_MAX} levels deep`);
    }
  }
}

function refuseTwice(text: string): void {
  const open: (Set<string> | undefined)[] = [];
  let before = '';
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(undefined);
    else if (token === '}' || token === ']') open.pop();
    else if (token === ':') note(open.at(-1), String(JSON.parse(before)));
    before = token;
  }
}

function note(names: Set<string> | undefined, name: string): void {
  if (names?.has(name) === true) {
    throw new Refusal('json-refused', 'a property is named twice: name it once');
  }
  names?.add(name);
}
