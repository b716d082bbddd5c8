// SPDX-License-Identifier: Apache-2.0

/** RFC 9457: what went wrong, and in `detail` what to do next. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
}

const PROBLEMS = {
  'signature-refused': [403, 'The URL is not good, or not any more'],
  'epoch-over': [403, 'Who uploads here may do so no more'],
  'not-found': [404, 'There is nothing here'],
  'method-refused': [405, 'This cannot be done here'],
  'too-slow': [408, 'The bytes came too slowly'],
  'part-differs': [409, 'Another part has this number'],
  'object-complete': [409, 'The object is complete'],
  'object-differs': [409, 'Another object has this name'],
  'length-required': [411, 'The length is missing'],
  'too-large': [413, 'This is too large'],
  'range-refused': [416, 'There are no such bytes'],
  'object-mismatch': [422, 'The parts do not make this object'],
  'digest-mismatch': [400, 'The bytes do not have the digest'],
  'part-refused': [400, 'This is no part'],
  'digest-missing': [400, 'The digest is missing'],
  'body-refused': [400, 'The body is not what it should be'],
  'request-refused': [400, 'This is no request'],
  'sessions-exhausted': [429, 'Too many uploads'],
  bug: [500, 'Something is wrong here'],
  'store-away': [503, 'The store does not answer'],
  'store-refused': [503, 'The store refuses'],
  'store-full': [507, 'The store is full'],
} as const satisfies Record<string, readonly [number, string]>;

export type ProblemCode = keyof typeof PROBLEMS;

/** A problem by its code. */
export function problem(code: ProblemCode, detail: string): Problem {
  const [status, title] = PROBLEMS[code];
  return { type: `urn:impound:problem:${code}`, title, status, detail };
}

/** A refusal on its way to the answer. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: ProblemCode;
  constructor(code: ProblemCode, detail: string) {
    super(detail);
    this.code = code;
  }
}
