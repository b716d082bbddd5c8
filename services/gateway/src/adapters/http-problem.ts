// SPDX-License-Identifier: Apache-2.0
import { refused } from '@impound/runtime/http-watch.ts';
import { RETRY_SECONDS } from '../domain/limits.ts';
import { type ProblemCode, problemOf, Refusal } from '../domain/problem.ts';

const TYPE = 'application/problem+json';

const HEADERS: Partial<Record<ProblemCode, Record<string, string>>> = {
  // Whom nobody knows keeps no connection: at a full door it would be another one's place.
  'token-refused': { 'www-authenticate': 'Bearer realm="impound"', connection: 'close' },
  'too-many': { 'retry-after': '1' },
  unavailable: { 'retry-after': String(RETRY_SECONDS) },
  // What is left of these bodies must not be taken for the next request.
  'too-large': { connection: 'close' },
  'too-slow': { connection: 'close' },
};

/** A refusal as problem+json. */
export function answerRefusal(refusal: Refusal): Response {
  refused('gateway', refusal.code);
  const problem = problemOf(refusal);
  const headers = headersOf(refusal.code);
  return new Response(JSON.stringify(problem), { status: problem.status, headers });
}

/** The headers of the answer to a problem. */
export function headersOf(code: ProblemCode): Record<string, string> {
  return { 'content-type': TYPE, 'cache-control': 'no-store', ...HEADERS[code] };
}

/** The answer to what is no request at all, as text for the bare connection. */
export function answerBroken(code: string): string {
  const problem = problemOf(brokenOf(code));
  const body = JSON.stringify(problem);
  return [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    `content-type: ${TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    '',
    body,
  ].join('\r\n');
}

function brokenOf(code: string): Refusal {
  if (code === 'HPE_HEADER_OVERFLOW') return new Refusal('headers-refused', 'send smaller headers');
  // A certificate that only pretends to be of our CA leaves such an error behind.
  if (/^ERR_(OSSL|SSL)_/.test(code)) return new Refusal('token-refused', 'show a good certificate');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new Refusal('too-slow', 'send it faster');
  return new Refusal('request-refused', 'send a request as HTTP/1.1 (RFC 9112) says');
}
