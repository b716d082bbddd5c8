// SPDX-License-Identifier: Apache-2.0

/** Every way in which talking to a cluster can fail, as callers tell them apart. */
export type KubernetesFaultCode =
  | 'aborted'
  | 'api-error'
  | 'bad-request'
  | 'cluster-unknown'
  | 'clusters-invalid'
  | 'command-not-started'
  | 'conflict'
  | 'container-ambiguous'
  | 'container-not-found'
  | 'create-exec-missing'
  | 'credentials-failed'
  | 'ephemeral-start-failed'
  | 'exec-plugin-refused'
  | 'forbidden'
  | 'gone'
  | 'invalid-object'
  | 'invalid-request'
  | 'kubeconfig-invalid'
  | 'malformed-answer'
  | 'no-shell'
  | 'node-unreachable'
  | 'not-acceptable'
  | 'not-found'
  | 'not-in-cluster'
  | 'outcome-unknown'
  | 'pod-not-scheduled'
  | 'pod-security-denied'
  | 'protocol-violation'
  | 'response-too-large'
  | 'scc-denied'
  | 'stdin-closed'
  | 'subprotocol-refused'
  | 'timeout'
  | 'tls-untrusted'
  | 'too-many-requests'
  | 'unauthorized'
  | 'unreachable';

/** What may be known about a fault beside its code. */
export interface FaultDetails {
  /** HTTP status of the answer, where there was one. */
  readonly status?: number;
  /** How long the server asked to wait, in milliseconds. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** The one error of this package: `code` is for programs, the message says what to do next. */
export class KubernetesFault extends Error {
  readonly code: KubernetesFaultCode;
  readonly status?: number;
  readonly retryAfterMs?: number;

  constructor(code: KubernetesFaultCode, message: string, details: FaultDetails = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.name = 'KubernetesFault';
    this.code = code;
    if (details.status !== undefined) this.status = details.status;
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs;
  }
}

/** Longest piece of a server's text that is repeated in an error. */
export const QUOTE_CHARS_MAX = 300;

/** Makes text from a cluster fit for one line of a message: no control characters, bounded. */
export function quote(text: string): string {
  const plain = text
    .slice(0, QUOTE_CHARS_MAX * 2)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
  return plain.length > QUOTE_CHARS_MAX ? `${plain.slice(0, QUOTE_CHARS_MAX)}…` : plain;
}

/** The fault for a signal that fired; its reason is kept as the cause. */
export function abortedFault(signal: AbortSignal): KubernetesFault {
  return new KubernetesFault('aborted', 'the caller gave up; nothing more is sent', {
    cause: signal.reason,
  });
}
