// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { printable } from './path-bytes.ts';
import { UploadFault, type UploadFaultCode } from './upload-fault.ts';
import { sent } from './upload-request.ts';

/** One attempt, connection and answer included, takes at most this long. */
const ATTEMPT_MS_MAX = 120_000;
/** No answer is longer: 10,000 parts are listed in less. */
const ANSWER_BYTES_MAX = 4 * 1_024 * 1_024;
const BACKOFF_MS_MAX = 30_000;
const RETRY_AFTER_SECONDS_MAX = 60;
const TEXT_BYTES_MAX = 300;

/** Where and how one upload session is spoken to. */
export interface SessionLine {
  readonly url: URL;
  readonly token: string | undefined;
  /** The first pause; each further one is twice as long, up to 30 s, minus a random part. */
  readonly backoffMs: number;
  /** No new attempt is made after this time. */
  readonly retryMsMax: number;
  readonly headers?: (() => Readonly<Record<string, string>>) | undefined;
}

/** One request of the protocol. `what` names it for people. */
export interface Exchange {
  readonly what: string;
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Goes behind the path of the session's URL, in front of its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** Asked before a request is repeated; true if the first one got through after all. */
  readonly done?: () => Promise<boolean>;
}

/** An answer; `fault` is the code of a network fault where there was none. */
interface Answer {
  readonly status: number;
  readonly fault: string | undefined;
  readonly retryAfterMs: number;
  readonly text: string;
}

/**
 * Sends a request until it is answered for good: network faults, 408, 429 and 5xx but 501 are
 * tried again; a full store may get room meanwhile, and what it holds already stays there. Gives
 * the body of a 2xx answer, or '' where `done` says that it got through.
 * Throws UploadFault, or what the signal aborts with.
 */
export async function exchange(
  line: SessionLine,
  request: Exchange,
  signal: AbortSignal,
): Promise<string> {
  const stopAt = performance.now() + line.retryMsMax;
  for (let attempt = 1; ; attempt += 1) {
    const answer = await attemptOnce(line, request, signal);
    if (isSuccess(answer)) return answer.text;
    if (!passes(answer)) throw refused(line, request, answer);
    const pauseMs = pauseOf(line, attempt, answer);
    if (performance.now() + pauseMs > stopAt) throw givenUp(line, request, { answer, attempt });
    await delay(pauseMs, undefined, { signal });
    if (answer.fault !== undefined && (await request.done?.()) === true) return '';
  }
}

async function attemptOnce(
  line: SessionLine,
  request: Exchange,
  signal: AbortSignal,
): Promise<Answer> {
  const url = new URL(line.url);
  url.pathname = url.pathname.replace(/\/$/, '') + request.path;
  try {
    const bearer = line.token === undefined ? {} : { authorization: `Bearer ${line.token}` };
    const outgoing = {
      method: request.method,
      headers: { ...line.headers?.(), ...request.headers, ...bearer },
      body: request.body,
    };
    const { status, retryAfter, text } = await sent(url, outgoing, {
      answerBytesMax: ANSWER_BYTES_MAX,
      signal: AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_MS_MAX)]),
    });
    return { status, fault: undefined, retryAfterMs: retryAfterMs(retryAfter), text };
  } catch (error) {
    signal.throwIfAborted();
    return { status: 0, fault: networkCode(error), retryAfterMs: 0, text: '' };
  }
}

function isSuccess(answer: Answer): boolean {
  return answer.status >= 200 && answer.status < 300;
}

/** A system error's code: the message would name the host, and some name the whole URL. */
function networkCode(error: unknown): string {
  if (!(error instanceof Error)) return 'network fault';
  if (error.name === 'AbortError') return 'ETIMEDOUT';
  const code = 'code' in error ? String(error.code) : '';
  return /^[A-Z][A-Z0-9_]{1,40}$/.test(code) ? code : 'network fault';
}

function retryAfterMs(header: string | undefined): number {
  const seconds = Number(header ?? 0);
  if (!(seconds > 0)) return 0;
  return Math.min(seconds, RETRY_AFTER_SECONDS_MAX) * 1_000;
}

/** True for what may be gone a little later. */
function passes({ status, fault }: Answer): boolean {
  if (fault !== undefined || status === 408 || status === 429) return true;
  return status >= 500 && status !== 501;
}

function pauseOf(line: SessionLine, attempt: number, answer: Answer): number {
  const backoffMs = Math.min(line.backoffMs * 2 ** (attempt - 1), BACKOFF_MS_MAX);
  return Math.max(answer.retryAfterMs, backoffMs * (0.5 + Math.random() / 2));
}

const FULL = 507;

/** Why it is not tried any longer. */
function givenUp(
  line: SessionLine,
  request: Exchange,
  { answer, attempt }: { readonly answer: Answer; readonly attempt: number },
): UploadFault {
  if (answer.status === FULL) return refused(line, request, answer);
  const last = answer.fault ?? `status ${answer.status}`;
  const message = `${request.what}: no success in ${attempt} attempts, the last gave ${last}`;
  const status = answer.fault === undefined ? answer.status : undefined;
  const advice = 'check the uploader and the way to it';
  return new UploadFault('store-unreachable', `${message}: ${advice}`, status);
}

const REFUSALS: Readonly<Record<number, readonly [UploadFaultCode, string]>> = {
  401: ['session-expired', 'the session is not good any more: ask for another'],
  403: ['session-expired', 'the session is not good any more: ask for another'],
  404: ['session-expired', 'there is no such session: ask for another'],
  410: ['session-expired', 'the session is gone: ask for another'],
  409: ['part-conflict', 'other bytes are stored under this name: begin a session of its own'],
  413: ['part-too-large', 'the part is larger than the store takes'],
  422: ['digest-mismatch', 'the stored parts are not what was sent: begin again'],
  [FULL]: ['store-full', 'the store stayed full for as long as room was waited for: make room'],
};

function refused(line: SessionLine, request: Exchange, answer: Answer): UploadFault {
  const { type, detail } = problemOf(answer.text, secretsOf(line));
  const [code, advice] = REFUSALS[answer.status] ?? otherRefusal(answer.status, type);
  const said = detail === '' ? '' : ` (the store says: ${detail})`;
  const message = `${request.what}: status ${answer.status}, ${advice}${said}`;
  return new UploadFault(code, message, answer.status);
}

function otherRefusal(status: number, type: string): readonly [UploadFaultCode, string] {
  const mismatch = status === 400 && (type === '' || type.endsWith('digest-mismatch'));
  if (mismatch) return ['digest-mismatch', 'the bytes changed on their way: begin again'];
  return ['upload-refused', 'the store did not take it'];
}

/** Parts of the URL that no text may repeat. */
function secretsOf({ url, token }: SessionLine): string[] {
  const parts = [...url.searchParams.values(), url.pathname.split('/').at(-1) ?? '', token ?? ''];
  return parts.filter((part) => part.length > 0);
}

/** Type and detail of problem+json (RFC 9457), fit for a message. */
function problemOf(text: string, secrets: readonly string[]): { type: string; detail: string } {
  const field = (value: unknown): string => {
    const shown = typeof value === 'string' ? printable(Buffer.from(value), TEXT_BYTES_MAX) : '';
    return secrets.some((secret) => shown.includes(secret)) ? '' : shown;
  };
  try {
    const problem: unknown = JSON.parse(text);
    if (typeof problem !== 'object' || problem === null) return { type: '', detail: '' };
    const { type, title, detail } = problem as Record<string, unknown>;
    return { type: field(type), detail: field(detail ?? title) };
  } catch {
    return { type: '', detail: '' };
  }
}
