// SPDX-License-Identifier: Apache-2.0
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { openHttpServer } from '@impound/runtime/http-server.ts';
import type { Log } from '@impound/runtime/log.ts';
import { type Context, Hono } from 'hono';
import { accepts } from '../domain/accept.ts';
import type { Caller } from '../domain/caller.ts';
import { RETRY_SECONDS } from '../domain/limits.ts';
import { type ProblemCode, problemOf, Refusal } from '../domain/problem.ts';
import type { BearerTokens } from './bearer-tokens.ts';

/** What a route knows of a request. */
export interface Setting {
  readonly Bindings: HttpBindings;
  readonly Variables: { readonly caller: Caller };
}

/** The application that the routes are added to. */
export type App = Hono<Setting>;
export type Request = Context<Setting>;

const REQUEST_MS_MAX = 30_000;

/** An application that lets only known callers in and answers every fault as problem+json. */
export function openApp(tokens: BearerTokens, log: Log): App {
  const app: App = new Hono();
  app.notFound(() => answerRefusal(new Refusal('not-found', 'README.md names what there is')));
  app.onError((error) => answerRefusal(refusalOf(error, log)));
  app.get('/healthz', (context) => context.json({ status: 'ok' }));
  app.use('/v1/*', async (context, next) => {
    const header = context.req.header('authorization') ?? '';
    const token = /^Bearer +([\x21-\x7e]+) *$/i.exec(header)?.[1];
    context.set('caller', tokens.admit(token));
    await next();
    context.header('cache-control', 'no-store');
    context.header('x-content-type-options', 'nosniff');
  });
  return app;
}

/** One thing that can be done at a path. */
export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** The media type of the answer. */
  readonly gives: string;
  /** True where looking at it changes something, so that HEAD is refused. */
  readonly leaves?: boolean;
  readonly answer: (request: Request) => Promise<Response>;
}

/** Adds routes; another method at their paths is 405, an Accept without their type 406. */
export function addRoutes(app: App, routes: readonly Route[]): void {
  for (const { method, path, gives, leaves = false, answer } of routes) {
    app.on(method, path, async (context) => {
      if (leaves && context.req.method === 'HEAD') return notAllowed('GET');
      if (!accepts(context.req.header('accept'), gives)) {
        throw new Refusal('format-refused', `there is ${gives}: accept that`);
      }
      return await answer(context);
    });
  }
  for (const [path, here] of Map.groupBy(routes, ({ path }) => path)) {
    const allow = here.map(({ method, leaves }) =>
      method === 'GET' && leaves !== true ? 'GET, HEAD' : method,
    );
    app.all(path, () => notAllowed(allow.join(', ')));
  }
}

function notAllowed(allow: string): Response {
  const answer = answerRefusal(new Refusal('method-refused', `only ${allow}`));
  answer.headers.set('allow', allow);
  return answer;
}

/** Nothing of an unknown error is told, and no header and no body is logged. */
function refusalOf(error: unknown, log: Log): Refusal {
  if (error instanceof Refusal) return error;
  log.error('request failed', { because: error instanceof Error ? error.message : String(error) });
  return new Refusal('bug', 'try again; if it stays, the log of the gateway says why');
}

const HEADERS: Partial<Record<ProblemCode, Record<string, string>>> = {
  'token-refused': { 'www-authenticate': 'Bearer realm="impound"' },
  'too-many': { 'retry-after': '1' },
  unavailable: { 'retry-after': String(RETRY_SECONDS) },
  // What is left of these bodies must not be taken for the next request.
  'too-large': { connection: 'close' },
  'too-slow': { connection: 'close' },
};

function answerRefusal(refusal: Refusal): Response {
  const problem = problemOf(refusal);
  const headers = {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    ...HEADERS[refusal.code],
  };
  return new Response(JSON.stringify(problem), { status: problem.status, headers });
}

/** Listens until the scope ends; gives the port. */
export async function listen(
  app: App,
  at: { readonly host: string; readonly port: number },
  scope: AsyncDisposableStack,
): Promise<number> {
  const refused = new Refusal('request-refused', 'the request line or the Host header is no good');
  const listener = getRequestListener(app.fetch as never, {
    overrideGlobalObjects: false,
    errorHandler: () => answerRefusal(refused),
  });
  return await openHttpServer(
    { ...at, requestMsMax: REQUEST_MS_MAX },
    (incoming, outgoing) => void listener(incoming, outgoing),
    scope,
  );
}
