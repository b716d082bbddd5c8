// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { context, createContextKey, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { measuresOf } from './metrics.ts';
import { ATTRIBUTE, LABEL, METRICS } from './semantics.ts';
import { readParent, tracerOf } from './span.ts';

/** What becomes known of a request while it is answered. */
interface Seen {
  route?: string;
}

const SEEN = createContextKey('impound.http');
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']);
const PROBES = new Set(['/healthz', '/readyz']);
const SERVER_ERROR = 500;

/**
 * Every request of a door in a span of its caller's trace and in a metric. No path and no query
 * gets into either: they may be signed, and name what is evidence.
 */
export function watched(service: string, listener: RequestListener): RequestListener {
  return (request, response) => {
    if (PROBES.has(request.url ?? '')) return void listener(request, response);
    const seen: Seen = {};
    const began = { service, seen, span: spanOf(service, request), startedAt: performance.now() };
    response.once('close', () => ended(began, request, response));
    const within = trace.setSpan(context.active(), began.span).setValue(SEEN, seen);
    context.with(within, () => void listener(request, response));
  };
}

/** Names the route that answers the request, by its pattern. */
export function routed(pattern: string): void {
  const seen = context.active().getValue(SEEN) as Seen | undefined;
  if (seen !== undefined) seen.route = pattern;
}

/** Counts a request that a door refuses, by the code of its problem. */
export function refused(service: string, code: string): void {
  measuresOf(service).count(METRICS.refusal, 1, { [LABEL.code]: code });
}

function spanOf(service: string, request: IncomingMessage) {
  const method = methodOf(request);
  const { traceparent } = request.headers;
  const asked = readParent(typeof traceparent === 'string' ? traceparent : undefined);
  const parent = asked && trace.setSpanContext(context.active(), asked);
  const options = { kind: SpanKind.SERVER, attributes: { [ATTRIBUTE.method]: method } };
  return tracerOf(service).startSpan(method, options, parent);
}

function methodOf({ method = '' }: IncomingMessage): string {
  return METHODS.has(method) ? method : '_OTHER';
}

function ended(
  {
    service,
    seen,
    span,
    startedAt,
  }: {
    readonly service: string;
    readonly seen: Seen;
    readonly span: ReturnType<typeof spanOf>;
    readonly startedAt: number;
  },
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const method = methodOf(request);
  const labels = {
    [ATTRIBUTE.method]: method,
    [ATTRIBUTE.status]: response.statusCode,
    ...(seen.route === undefined ? {} : { [ATTRIBUTE.route]: seen.route }),
  };
  measuresOf(service).timed(METRICS.request, startedAt, labels);
  span.setAttributes(labels);
  if (seen.route !== undefined) span.updateName(`${method} ${seen.route}`);
  if (response.statusCode >= SERVER_ERROR) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}
