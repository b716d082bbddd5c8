// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { EXIT, Exit } from './exit-code.ts';

/** Where the platform is and what it knows us by. */
export interface Access {
  readonly url: string;
  readonly token: string;
}

/** What GET /v1/acquisitions/:id tells; more fields may come. */
export interface Shown {
  readonly acquisitionId: string;
  readonly status: string;
  readonly caseId: string;
  readonly target: string;
  readonly [field: string]: unknown;
}

/** One server-sent event of an acquisition. */
export interface Told {
  readonly event: string;
  readonly id: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Speaks to the gateway's HTTP API. Every failure is an Exit with a sentence. */
export interface Client {
  post(path: string, body: object, headers?: Record<string, string>): Promise<Shown>;
  get<T>(path: string): Promise<T>;
  /** The raw bytes of an answer. */
  stream(path: string): Promise<Response>;
  /** Follows one acquisition until it has ended, across broken connections. */
  follow(acquisitionId: string): AsyncIterable<Told>;
}

export function openClient(access: Access, signal: AbortSignal): Client {
  const fetchOnce = async (path: string, init: RequestInit): Promise<Response> =>
    await fetch(access.url + path, { ...init, signal }).catch((cause: unknown) => {
      if (signal.aborted) throw new Exit(EXIT.stopped, 'interrupted', { cause });
      const message = `no platform answers at ${access.url}: start one with \`impound up\``;
      throw new Exit(EXIT.unreachable, message, { cause });
    });
  const send = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = { authorization: `Bearer ${access.token}`, ...init.headers };
    for (let attempt = 1; ; attempt++) {
      const response = await fetchOnce(path, { ...init, headers });
      if (response.ok) return response;
      const again = isPassing(response) && isRepeatable(init) && attempt < TRIES_MAX;
      if (!again) throw await refusal(response);
      await response.body?.cancel();
      await delay(AGAIN_MS, undefined, { signal }).catch(() => undefined);
    }
  };
  return {
    post: async (path, body, headers = {}) => {
      const response = await send(path, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...headers },
      });
      return (await response.json()) as Shown;
    },
    get: async <T>(path: string) => (await (await send(path)).json()) as T,
    stream: (path) => send(path),
    follow: (acquisitionId) => follow(acquisitionId, send, signal),
  };
}

/** The bus or the ledger is away, or we came too often: that passes. */
function isPassing({ status }: Response): boolean {
  return status === 503 || status === 429;
}

/** Whether doing it twice is doing it once. */
function isRepeatable({ method = 'GET', headers }: RequestInit): boolean {
  return method === 'GET' || new Headers(headers).has('idempotency-key');
}

async function refusal(response: Response): Promise<Exit> {
  const problem = (await response.json().catch(() => ({}))) as {
    title?: string;
    detail?: string;
  };
  const text = [problem.title, problem.detail].filter(Boolean).join(': ') || response.statusText;
  const code = response.status === 401 ? EXIT.unreachable : EXIT.failed;
  return new Exit(code, `${response.status} ${text}`);
}

const AGAIN_MS = 1_000;
const TRIES_MAX = 30;

type Send = (path: string, init?: RequestInit) => Promise<Response>;

async function* follow(acquisitionId: string, send: Send, signal: AbortSignal) {
  const seen = { last: '0', failures: 0 };
  while (seen.failures < TRIES_MAX) {
    try {
      yield* followOnce(acquisitionId, seen, send);
      return;
    } catch (error) {
      seen.failures += 1;
      stopWhere(error, signal);
      await delay(AGAIN_MS, undefined, { signal }).catch(() => undefined);
    }
  }
  throw new Exit(EXIT.unreachable, 'the platform is away; `impound watch` goes on later');
}

/** A broken connection is tried again; an interruption and a refusal are not. */
function stopWhere(error: unknown, signal: AbortSignal): void {
  if (signal.aborted) throw new Exit(EXIT.stopped, 'interrupted', { cause: error });
  if (error instanceof Exit && error.code === EXIT.failed) throw error;
}

async function* followOnce(
  acquisitionId: string,
  seen: { last: string; failures: number },
  send: Send,
): AsyncGenerator<Told> {
  const headers = { accept: 'text/event-stream', 'last-event-id': seen.last };
  const response = await send(`/v1/acquisitions/${acquisitionId}/events`, { headers });
  for await (const told of eventsOf(response)) {
    if (told.id !== '') seen.last = told.id;
    seen.failures = 0;
    yield told;
  }
}

/** Parses text/event-stream (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export async function* eventsOf(response: Response): AsyncGenerator<Told> {
  let pending = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    pending += decoder.decode(chunk, { stream: true });
    const blocks = pending.split(/\r?\n\r?\n/);
    pending = blocks.pop() ?? '';
    for (const block of blocks) {
      const told = eventOf(block);
      if (told !== undefined) yield told;
    }
  }
}

function eventOf(block: string): Told | undefined {
  const fields = { event: 'message', id: '', data: '' };
  for (const line of block.split(/\r?\n/)) {
    const match = /^(event|id|data): ?(.*)$/.exec(line);
    if (match === null) continue;
    const [, field, value = ''] = match;
    if (field === 'data') fields.data += value;
    else fields[field as 'event' | 'id'] = value;
  }
  if (fields.data === '') return undefined;
  return { event: fields.event, id: fields.id, data: JSON.parse(fields.data) as Told['data'] };
}
