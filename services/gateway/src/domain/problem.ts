// SPDX-License-Identifier: Apache-2.0

/** One fault of a body, by the path where it is. */
export interface Fault {
  readonly path: string;
  readonly message: string;
}

/** RFC 9457: what went wrong, and in `detail` what to do next. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly errors?: readonly Fault[];
}

const PROBLEMS = {
  'json-refused': [400, 'The body is no JSON'],
  'query-refused': [400, 'The query is not what it should be'],
  'request-refused': [400, 'This is no request'],
  'token-refused': [401, 'Nobody is known by this credential'],
  forbidden: [403, 'This is not allowed'],
  'not-found': [404, 'There is nothing here'],
  'method-refused': [405, 'This cannot be done here'],
  'format-refused': [406, 'There is no such form of it'],
  'too-slow': [408, 'The body came too slowly'],
  'nothing-to-decide': [409, 'There is nothing to decide'],
  'evidence-differs': [409, 'The store holds something else'],
  'too-large': [413, 'This is too large'],
  'media-refused': [415, 'The body has another form'],
  'order-refused': [422, 'The body is not what it should be'],
  'key-reused': [422, 'The key was used for something else'],
  refused: [422, 'This was refused'],
  'too-many': [429, 'Too many requests'],
  'headers-refused': [431, 'The headers are too many or too large'],
  bug: [500, 'Something is wrong here'],
  unavailable: [503, 'Not now'],
} as const satisfies Record<string, readonly [number, string]>;

export type ProblemCode = keyof typeof PROBLEMS;

/** Why a request is not answered as it was meant; the message says what to do next. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: ProblemCode;
  readonly errors: readonly Fault[];
  constructor(code: ProblemCode, detail: string, errors: readonly Fault[] = []) {
    super(detail);
    this.code = code;
    this.errors = errors;
  }
}

const DETAIL_CHARACTERS_MAX = 2_048;

/** A refusal as it is answered. */
export function problemOf({ code, message, errors }: Refusal): Problem {
  const [status, title] = PROBLEMS[code];
  const detail = message.slice(0, DETAIL_CHARACTERS_MAX);
  const problem = { type: `urn:impound:problem:${code}`, title, status, detail };
  return errors.length > 0 ? { ...problem, errors } : problem;
}
