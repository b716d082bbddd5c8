// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { endsAcquisition } from '@impound/contracts/chain.ts';
import { eventsOf, type Told } from './event-stream.ts';
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

/** Speaks to the gateway's HTTP API. Every failure is an Exit with a sentence. */
export interface Client {
  /** Tried again while the platform is away, if an Idempotency-Key makes twice once. */
  post(path: string, body: object, headers?: Record<string, string>): Promise<Shown>;
  get<T>(path: string): Promise<T>;
  /** The raw bytes of an answer. */
  stream(path: string): Promise<Response>;
  /** Follows one acquisition until it has ended, across broken connections: AWAY tells of them. */
  follow(acquisitionId: string): AsyncIterable<Told>;
}

/** What `follow` gives while the platform is away. */
export const AWAY = 'away';

/** A request that was not answered, and that may be answered later. */
class Unanswered extends Exit {
  /** False where it never reached the platform, true where the platform said: not now. */
  readonly reached: boolean;
  constructor(message: string, reached: boolean, options?: ErrorOptions) {
    super(EXIT.unreachable, message, options);
    this.reached = reached;
  }
}

const AGAIN_MS = 1_000;
const TRIES_MAX = 30;
/** Not now: the bus or the ledger is away, or we came too often. */
const PASSING = [429, 502, 503, 504];
/** What breaks a connection that stood, or lets it stand still. */
const BROKEN = ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'UND_ERR_HEADERS_TIMEOUT'];

type Send = (path: string, init?: RequestInit) => Promise<Response>;

export function openClient(access: Access, signal: AbortSignal): Client {
  const once: Send = async (path, init = {}) => {
    const headers = { authorization: `Bearer ${access.token}`, ...init.headers };
    const asked = { redirect: 'error', ...init, headers, signal } as const;
    const response = await fetch(access.url + path, asked).catch((cause: unknown) => {
      throw unsent(access.url, cause, signal);
    });
    if (!response.ok) throw await refusal(response);
    return response;
  };
  return {
    post: async (path, body, headers = {}) => {
      const init = {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...headers },
      };
      const repeatable = new Headers(headers).has('idempotency-key');
      const response = await patiently(() => once(path, init), repeatable, signal);
      return (await response.json()) as Shown;
    },
    get: async <T>(path: string) => {
      const response = await patiently(() => once(path), true, signal);
      return (await response.json()) as T;
    },
    stream: (path) => patiently(() => once(path), true, signal),
    follow: (acquisitionId) => follow(acquisitionId, once, signal),
  };
}

function unsent(url: string, cause: unknown, signal: AbortSignal): Exit {
  if (signal.aborted) return new Exit(EXIT.stopped, 'interrupted', { cause });
  const code = ((cause as Error).cause as NodeJS.ErrnoException | undefined)?.code ?? '';
  const why = code === '' ? '' : ` (${code})`;
  const message = `no platform answers at ${url}${why}: start one with \`impound up\``;
  return new Unanswered(message, BROKEN.includes(code), { cause });
}

async function refusal(response: Response): Promise<Exit> {
  const problem = (await response.json().catch(() => ({}))) as {
    title?: string;
    detail?: string;
  };
  const text = [problem.title, problem.detail].filter(Boolean).join(': ') || response.statusText;
  const message = `${response.status} ${text}`;
  if (PASSING.includes(response.status)) return new Unanswered(message, true);
  return new Exit(response.status === 401 ? EXIT.unreachable : EXIT.failed, message);
}

/** Tries again what passes. A platform that is not there at all is told of at once. */
async function patiently<T>(
  work: () => Promise<T>,
  repeatable: boolean,
  signal: AbortSignal,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const passing = error instanceof Unanswered && (error.reached || attempt > 1);
      if (!passing || !repeatable || attempt >= TRIES_MAX) throw error;
      await pause(signal);
    }
  }
}

async function pause(signal: AbortSignal): Promise<void> {
  await delay(AGAIN_MS, undefined, { signal }).catch((cause: unknown) => {
    throw new Exit(EXIT.stopped, 'interrupted', { cause });
  });
}

interface Seen {
  last: string;
  ended: boolean;
  /** Once the platform has answered, its absence is waited out. */
  answered: boolean;
  failures: number;
}

async function* follow(
  acquisitionId: string,
  send: Send,
  signal: AbortSignal,
): AsyncGenerator<Told> {
  const seen: Seen = { last: '0', ended: false, answered: false, failures: 0 };
  while (seen.failures < TRIES_MAX) {
    try {
      yield* followOnce(acquisitionId, seen, send);
    } catch (error) {
      stopWhere(error, seen, signal);
      seen.failures += 1;
    }
    if (seen.ended) return;
    yield { event: AWAY, id: seen.last, data: {} };
    await pause(signal);
  }
  const message = `the platform is away; later: impound watch ${acquisitionId}`;
  throw new Exit(EXIT.unreachable, message);
}

/** A broken connection is tried again; an interruption and a refusal are not. */
function stopWhere(error: unknown, seen: Seen, signal: AbortSignal): void {
  if (signal.aborted) throw new Exit(EXIT.stopped, 'interrupted', { cause: error });
  if (error instanceof Unanswered ? !error.reached && !seen.answered : error instanceof Exit) {
    throw error;
  }
}

/** A stream may also end because the platform stops: only an ending entry ends the following. */
async function* followOnce(acquisitionId: string, seen: Seen, send: Send): AsyncGenerator<Told> {
  const headers = { accept: 'text/event-stream', 'last-event-id': seen.last };
  const response = await send(`/v1/acquisitions/${acquisitionId}/events`, { headers });
  Object.assign(seen, { answered: true, ended: response.status === 204 });
  for await (const told of eventsOf(response.body ?? emptyBody())) {
    if (told.id !== '') seen.last = told.id;
    seen.ended ||= endsAcquisition(told.event);
    seen.failures = 0;
    yield told;
  }
  seen.failures = 0;
}

async function* emptyBody(): AsyncGenerator<Uint8Array> {}
