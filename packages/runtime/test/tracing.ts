// SPDX-License-Identifier: Apache-2.0
// As much of tracing as an operator's SDK brings: it is registered through the API alone.
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import {
  type Context,
  type ContextManager,
  context,
  isSpanContextValid,
  propagation,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  type SpanOptions,
  type SpanStatus,
  type TextMapPropagator,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';

/** A span that has ended or goes on, as the test sees it. */
export interface Seen {
  readonly name: string;
  readonly context: SpanContext;
  readonly parent: SpanContext | undefined;
  readonly options: SpanOptions;
  status?: SpanStatus;
  ended: boolean;
}

const seen: Seen[] = [];
let registered = false;

/** Registers tracing for this process, where that was not done, and gives the spans from now on. */
export function registerTracing(): readonly Seen[] {
  seen.length = 0;
  if (registered) return seen;
  registered = true;
  context.setGlobalContextManager(contextManager());
  propagation.setGlobalPropagator(w3c);
  trace.setGlobalTracerProvider({ getTracer: () => tracer });
  return seen;
}

const tracer = newTracer();

function newTracer(): Tracer {
  const startSpan = (name: string, options: SpanOptions = {}, within = context.active()): Span => {
    const parent = trace.getSpanContext(within);
    const own: SpanContext = {
      traceId: parent?.traceId ?? randomBytes(16).toString('hex'),
      spanId: randomBytes(8).toString('hex'),
      traceFlags: TraceFlags.SAMPLED,
    };
    const one: Seen = { name, context: own, parent, options, ended: false };
    seen.push(one);
    return spanOf(one);
  };
  const startActiveSpan = (name: string, ...rest: unknown[]): unknown => {
    const work = rest.at(-1) as (span: Span) => unknown;
    const [options, within] = rest.slice(0, -1) as [SpanOptions?, Context?];
    const span = startSpan(name, options, within);
    return context.with(trace.setSpan(within ?? context.active(), span), work, undefined, span);
  };
  return { startSpan, startActiveSpan: startActiveSpan as Tracer['startActiveSpan'] };
}

function spanOf(one: Seen): Span {
  const span: Span = {
    spanContext: () => one.context,
    setStatus: (status) => {
      one.status = status;
      return span;
    },
    end: () => {
      one.ended = true;
    },
    isRecording: () => !one.ended,
    setAttribute: () => span,
    setAttributes: () => span,
    addEvent: () => span,
    addLink: () => span,
    addLinks: () => span,
    updateName: () => span,
    recordException: () => undefined,
  };
  return span;
}

const HEADER = /^00-([0-9a-f]{32})-([0-9a-f]{16})-0([01])$/;

const w3c: TextMapPropagator = {
  fields: () => ['traceparent'],
  inject: (from, carrier, setter) => {
    const of = trace.getSpanContext(from);
    if (of === undefined || !isSpanContextValid(of)) return;
    setter.set(carrier, 'traceparent', `00-${of.traceId}-${of.spanId}-0${of.traceFlags}`);
  },
  extract: (into, carrier, getter) => {
    const [, traceId, spanId, flags] =
      HEADER.exec(String(getter.get(carrier, 'traceparent'))) ?? [];
    if (traceId === undefined || spanId === undefined) return into;
    const remote = { traceId, spanId, traceFlags: Number(flags), isRemote: true };
    return trace.setSpanContext(into, remote);
  },
};

function contextManager(): ContextManager {
  const storage = new AsyncLocalStorage<Context>();
  const manager: ContextManager = {
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (own, work, self, ...args) => storage.run(own, () => work.apply(self, args)),
    bind: (_own, target) => target,
    enable: () => manager,
    disable: () => manager,
  };
  return manager;
}
