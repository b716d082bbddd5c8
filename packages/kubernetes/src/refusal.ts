// SPDX-License-Identifier: Apache-2.0
import { KubernetesFault, type KubernetesFaultCode, quote } from './fault.ts';
import { parseStatus } from './status.ts';

/** An answer of the API server, or of what stands before it, that is not a success. */
export interface RefusedAnswer {
  readonly status: number;
  /** As the server sent it: seconds or an HTTP date (RFC 9110 section 10.2.3). */
  readonly retryAfter?: string | undefined;
  readonly body: string;
}

/** Longest wait that a Retry-After may ask of us. */
export const RETRY_AFTER_MS_MAX = 300_000;

const NEXT: Readonly<Record<number, readonly [KubernetesFaultCode, string]>> = {
  400: ['bad-request', 'correct the request'],
  401: ['unauthorized', 'renew the credentials and check that they are for this cluster'],
  403: ['forbidden', 'grant the right that the message names'],
  404: ['not-found', 'look the object up again, it may have been replaced'],
  406: ['not-acceptable', 'ask for another media type'],
  409: ['conflict', 'read the object again and repeat'],
  410: ['gone', 'start the list again from the beginning'],
  415: ['not-acceptable', 'send another media type'],
  422: ['invalid-object', 'correct the field that the message names'],
  429: ['too-many-requests', 'wait and repeat'],
  502: ['unreachable', 'try again later; the API server or what it needs is down'],
  503: ['unreachable', 'try again later; the API server or what it needs is down'],
  504: ['unreachable', 'try again later; the API server or what it needs is down'],
};

/** Finer codes that only the text tells apart, tried in this order. */
const WORDINGS: readonly {
  readonly status: number;
  readonly text: RegExp;
  readonly code: KubernetesFaultCode;
  readonly next: string;
}[] = [
  {
    status: 403,
    text: /security context exceeds your permissions/i,
    code: 'scc-denied',
    next: "grant `use` on a SecurityContextConstraints that covers the pod's security context",
  },
  {
    status: 403,
    text: /violates PodSecurity/,
    code: 'pod-security-denied',
    next: 'use a profile that the namespace allows',
  },
  {
    status: 500,
    text: /error dialing backend/i,
    code: 'node-unreachable',
    next: 'the API server cannot reach the kubelet (port 10250); try again later',
  },
];

/** Turns a refusal of the API server into a fault; the text of the server is quoted, bounded. */
export function refusalFault(answer: RefusedAnswer, what: string): KubernetesFault {
  const said = parseStatus(answer.body);
  const message = said?.message || answer.body;
  const [code, next] = classify(answer.status, message);
  const quoted = quote(message) || '(no text)';
  const retryAfterMs = retryAfter(answer.retryAfter, said?.retryAfterSeconds);
  return new KubernetesFault(code, `${what}: ${answer.status} ${quoted}; ${next}`, {
    status: answer.status,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

function classify(status: number, message: string): readonly [KubernetesFaultCode, string] {
  const worded = WORDINGS.find((entry) => entry.status === status && entry.text.test(message));
  if (worded) return [worded.code, worded.next];
  return NEXT[status] ?? ['api-error', 'see the log of the API server, then try again'];
}

function retryAfter(header: string | undefined, seconds: number | undefined): number | undefined {
  const asked = header === undefined ? undefined : Number(header);
  const fromHeader = asked !== undefined && Number.isFinite(asked) ? asked : dateSeconds(header);
  const chosen = fromHeader ?? seconds;
  if (chosen === undefined) return undefined;
  return Math.min(Math.max(0, Math.ceil(chosen * 1_000)), RETRY_AFTER_MS_MAX);
}

function dateSeconds(header: string | undefined): number | undefined {
  const at = header === undefined ? Number.NaN : Date.parse(header);
  return Number.isNaN(at) ? undefined : (at - Date.now()) / 1_000;
}
