// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Caller } from '../domain/caller.ts';
import { STREAM_MS_MAX, STREAMS_MAX, STREAMS_OF_ONE_MAX } from '../domain/limits.ts';
import { Refusal } from '../domain/problem.ts';
import type { Request, Route } from './http-server.ts';
import type { Standing } from './standing.ts';

/** One message of a stream, before it is written down. */
export interface Telling {
  readonly id?: number;
  /** Absent: a comment that only says that the stream lives. */
  readonly event?: string;
  readonly data?: string;
}

/** Follows one acquisition. Throws Refusal; undefined where nothing more will come. */
export type Following = (
  of: { readonly caller: Caller; readonly acquisitionId: string; readonly after: number },
  signal: AbortSignal,
) => Promise<AsyncIterable<Telling> | undefined>;

const RETRY_MS = 2_000;

/** Adds server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export function eventsRoute(
  following: Following,
  standing: Pick<Standing, 'of'>,
  stopping: AbortSignal,
): Route {
  const open = openStreams();
  return {
    method: 'GET',
    path: '/v1/acquisitions/:id/events',
    gives: 'text/event-stream',
    leaves: true,
    answer: async (request) => {
      using _ = open.one(request.var.caller.actor.id);
      using stand = standing.of(request.var.caller, request.env.incoming);
      return await stream(request, following, AbortSignal.any([stopping, stand.signal]));
    },
  };
}

/** Counts the streams that are open, by integration. */
export function openStreams() {
  const all = new Map<string, number>();
  let count = 0;
  return {
    /** Counts one more until it is disposed. Throws Refusal where there are enough. */
    one: (id: string): Disposable => {
      const own = all.get(id) ?? 0;
      if (own >= STREAMS_OF_ONE_MAX) {
        const detail = `${STREAMS_OF_ONE_MAX} streams of ${id} are open: close one`;
        throw new Refusal('too-many', detail);
      }
      if (count >= STREAMS_MAX) {
        throw new Refusal('too-many', `${STREAMS_MAX} streams are open: come again later`);
      }
      count += 1;
      all.set(id, own + 1);
      return {
        [Symbol.dispose]: () => {
          count -= 1;
          const left = (all.get(id) ?? 1) - 1;
          if (left > 0) all.set(id, left);
          else all.delete(id);
        },
      };
    },
  };
}

async function stream(
  request: Request,
  following: Following,
  stopping: AbortSignal,
): Promise<Response> {
  const { outgoing } = request.env;
  const gone = new AbortController();
  outgoing.once('close', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, stopping, AbortSignal.timeout(STREAM_MS_MAX)]);
  const acquisitionId = request.req.param('id') ?? '';
  const of = { caller: request.var.caller, acquisitionId, after: afterOf(request) };
  const news = await following(of, signal);
  // 204 is how a browser is told not to come again.
  if (news === undefined) return request.body(null, 204);
  outgoing.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  outgoing.flushHeaders();
  await pipeline(Readable.from(written(news)), outgoing).catch(() => outgoing.destroy());
  return RESPONSE_ALREADY_SENT;
}

function afterOf(request: Request): number {
  const last = request.req.header('last-event-id') ?? '';
  if (last === '') return 0;
  if (/^\d{1,9}$/.test(last)) return Number(last);
  throw new Refusal('query-refused', 'Last-Event-ID is the version of an entry');
}

async function* written(news: AsyncIterable<Telling>): AsyncGenerator<string> {
  yield `retry: ${RETRY_MS}\n\n`;
  for await (const { id, event, data } of news) {
    if (event === undefined) {
      yield ': beat\n\n';
      continue;
    }
    const numbered = id === undefined ? '' : `id: ${id}\n`;
    yield `${numbered}event: ${event}\ndata: ${data}\n\n`;
  }
}
