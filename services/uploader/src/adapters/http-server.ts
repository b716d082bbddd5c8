// SPDX-License-Identifier: Apache-2.0
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { openHttpServer } from '@impound/runtime/http-server.ts';
import { refused, routed } from '@impound/runtime/http-watch.ts';
import type { Log } from '@impound/runtime/log.ts';
import { Hono } from 'hono';
import { routePath } from 'hono/route';
import { StoreFault } from '../domain/evidence-store.ts';
import { PART_BYTES_MAX } from '../domain/limits.ts';
import { type Problem, problem, Refusal } from '../domain/problem.ts';

import { spill } from './http-body.ts';

/** The application that the routes are added to. */
export type App = Hono<{ Bindings: HttpBindings }>;

const REQUEST_MS_MAX = 300_000;
/** What is still read of a refused request, so that the answer arrives. */
const SPILL = { bytesMax: PART_BYTES_MAX, idleMs: 5_000 };

/** An application that answers every fault as application/problem+json (RFC 9457). */
export function openApp(log: Log): App {
  const app: App = new Hono();
  app.use(async (context, next) => {
    routed(routePath(context, -1));
    await next();
  });
  app.notFound(async ({ env }) =>
    answerProblem(problem('not-found', 'docs/spec/upload.md names what there is'), {
      spilt: await spill(env.incoming, SPILL),
    }),
  );
  app.onError(async (error, { env }) => {
    const quick = !(error instanceof Refusal && error.code === 'too-slow');
    const spilt = quick && (await spill(env.incoming, SPILL));
    return answerProblem(problemOf(error, log), { spilt });
  });
  app.get('/healthz', (context) => context.json({ status: 'ok' }));
  return app;
}

/** Nothing of an unknown error is told, and no URL is logged. */
function problemOf(error: unknown, log: Log): Problem {
  if (error instanceof Refusal || error instanceof StoreFault) {
    return problem(error.code, error.message);
  }
  const because = error instanceof Error ? error.message : String(error);
  log.error('request failed', { because });
  return problem('bug', 'send it again; if it stays, the log of the uploader says why');
}

function answerProblem(body: Problem, { spilt }: { readonly spilt: boolean }): Response {
  refused('uploader', body.type.split(':').at(-1) ?? '');
  const headers = {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    // A body that was not read must not be taken for the next request.
    ...(spilt ? {} : { connection: 'close' }),
  };
  return new Response(JSON.stringify(body), { status: body.status, headers });
}

/** Listens until the scope ends; gives the port. */
export async function listen(
  app: App,
  at: { readonly host: string; readonly port: number },
  log: Log,
  scope: AsyncDisposableStack,
): Promise<number> {
  const refused = problem('request-refused', 'the request line or the Host header is no good');
  const listener = getRequestListener(app.fetch as never, {
    overrideGlobalObjects: false,
    errorHandler: (error) => {
      log.warn('request refused', { because: error instanceof Error ? error.message : 'unknown' });
      return answerProblem(refused, { spilt: false });
    },
  });
  const { port } = await openHttpServer(
    { ...at, requestMsMax: REQUEST_MS_MAX, service: 'uploader' },
    (incoming, outgoing) => void listener(incoming, outgoing),
    scope,
  );
  return port;
}
