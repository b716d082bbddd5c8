// SPDX-License-Identifier: Apache-2.0
import type { HttpBindings } from '@hono/node-server';
import { routed } from '@impound/runtime/http-watch.ts';
import type { Log } from '@impound/runtime/log.ts';
import { type Context, Hono } from 'hono';
import { accepts } from '../domain/accept.ts';
import { type Caller, submitsOnly } from '../domain/caller.ts';
import { HEADERS_MAX } from '../domain/limits.ts';
import { Refusal } from '../domain/problem.ts';
import type { Doorkeeper } from './doorkeeper.ts';
import { admit } from './http-admission.ts';
import { bodyOf } from './http-body.ts';
import type { Known } from './http-known.ts';
import { answerRefusal } from './http-problem.ts';
import type { Hands } from './http-turns.ts';

/** What a route knows of a request. */
export interface Setting {
  readonly Bindings: HttpBindings;
  readonly Variables: { readonly caller: Caller; readonly messageId: string | undefined };
}

/** The application that the routes are added to. */
export type App = Hono<Setting>;
export type Request = Context<Setting>;

/** What a probe of the gateway is told. */
export type Health = () => Promise<{ readonly status: string }>;

const NOTHING = 'GET /openapi.json tells what there is';

/** Where only known callers come in; all else is for anybody. */
const FOR_KNOWN = ['/v1/*', '/tile/entries/*'];

/** An application that lets only known callers in and answers every fault as problem+json. */
export function openApp(
  {
    door,
    hands,
    known,
    health,
    document,
  }: {
    readonly door: Doorkeeper;
    readonly hands: Hands;
    readonly known: Pick<Known, 'add'>;
    readonly health: Health;
    readonly document: object;
  },
  log: Log,
): App {
  const app: App = new Hono();
  app.notFound(() => answerRefusal(new Refusal('not-found', NOTHING)));
  app.onError((error) => answerRefusal(refusalOf(error, log)));
  app.get('/healthz', async (context) => context.json(await health()));
  app.get('/openapi.json', (context) => context.json(document));
  app.on('ALL', FOR_KNOWN, async (context, next) => {
    const { incoming } = context.env;
    if (incoming.rawHeaders.length / 2 > HEADERS_MAX) {
      throw new Refusal('headers-refused', `send at most ${HEADERS_MAX} headers`);
    }
    const { caller, messageId } = await admit(incoming, door);
    known.add(incoming);
    context.set('caller', caller);
    context.set('messageId', messageId);
    // An order is in hand when all of it is there: who sends slowly takes nobody's place.
    if (incoming.method === 'POST') await bodyOf(incoming);
    using _ = incoming.method === 'POST' ? hands.take() : undefined;
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
  /** True where it gives an order: all that a signed message or a token in a URL can do. */
  readonly submits?: boolean;
  readonly answer: (request: Request) => Promise<Response>;
}

/** Adds routes; another method at their paths is 405, an Accept without their type 406. */
export function addRoutes(app: App, routes: readonly Route[]): void {
  for (const { method, path, gives, leaves = false, submits = false, answer } of routes) {
    app.on(method, path, async (context) => {
      routed(path);
      if (!submits) refuseSubmitter(context.var.caller);
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

function refuseSubmitter(caller: Caller): void {
  if (!submitsOnly(caller)) return;
  const detail = 'a signed message or a token in a URL gives orders only: take a bearer token';
  throw new Refusal('forbidden', detail);
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
