// SPDX-License-Identifier: Apache-2.0
import {
  type Attributes,
  type Context,
  context,
  type Link,
  propagation,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  type SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { ATTRIBUTE, SCOPE_PREFIX } from './semantics.ts';
import { VERSION } from './version.ts';

const TRACERS = new Map<string, Tracer>();

/** The tracer of a service; without an SDK its spans are nothing. */
export function tracerOf(service: string): Tracer {
  const known = TRACERS.get(service) ?? trace.getTracer(`${SCOPE_PREFIX}${service}`, VERSION);
  TRACERS.set(service, known);
  return known;
}

/** W3C Trace Context of the active span, or what was handed in where nothing traces. */
export function traceparent(inherited?: string, of = context.active()): string | undefined {
  const carrier: Record<string, string> = {};
  propagation.inject(of, carrier);
  return carrier['traceparent'] ?? inherited;
}

/** The header by which a request carries its trace, where there is one. */
export function traceHeaders(): { readonly traceparent?: string } {
  const parent = activeSpan() && traceparent();
  return parent === undefined ? {} : { traceparent: parent };
}

/** The span that goes on; one that has ended is none: timers keep the context they were set in. */
export function activeSpan(): Span | undefined {
  const span = trace.getActiveSpan();
  return span?.isRecording() === true ? span : undefined;
}

/** What a traceparent from elsewhere names; undefined where it is none, or nothing traces. */
export function readParent(parent: string | undefined): SpanContext | undefined {
  if (parent === undefined || parent === '') return undefined;
  return trace.getSpanContext(propagation.extract(ROOT_CONTEXT, { traceparent: parent }));
}

/** Where a span stands: left out, below the active one. */
export interface Place {
  readonly parent: Context;
  readonly links: Link[];
}

/** One span, from the beginning to the end of some work. */
interface Spanned extends Partial<Place> {
  readonly service: string;
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes?: Attributes;
}

/** Runs work inside a span. Nothing of an error but that there was one gets into it. */
export async function spanned<T>(of: Spanned, work: (span: Span) => Promise<T>): Promise<T> {
  const { service, name, kind, attributes = {}, links = [], parent = context.active() } = of;
  const options = { kind, attributes, links };
  return await tracerOf(service).startActiveSpan(name, options, parent, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  });
}

/** A span of work that is done for somebody else; undefined where that one traces nothing. */
export function spanFor(
  parent: string | undefined,
  of: { readonly service: string; readonly name: string; readonly kind: SpanKind },
): Span | undefined {
  const asked = readParent(parent);
  if (asked === undefined) return undefined;
  const within = trace.setSpanContext(context.active(), asked);
  return tracerOf(of.service).startSpan(of.name, { kind: of.kind }, within);
}

/** The trace context of a span, or what came in where nothing traces. */
export function contextOf(span: Span | undefined, inherited?: string): string | undefined {
  if (span === undefined) return inherited;
  return traceparent(inherited, trace.setSpan(ROOT_CONTEXT, span));
}

/** Runs beside the active span what would fill its trace: heartbeats. */
export function untraced<T>(work: () => T): T {
  return context.with(trace.deleteSpan(context.active()), work);
}

/** Marks the span of what is worked on as failed, with the code of the fault. */
export function failed(code: string): void {
  const span = trace.getActiveSpan();
  span?.setStatus({ code: SpanStatusCode.ERROR, message: code });
  span?.setAttribute(ATTRIBUTE.error, code);
}

/** What a line of the log says of the span it was written in. */
export function spanFields(): object {
  const of = trace.getSpanContext(context.active());
  return of === undefined ? {} : { trace_id: of.traceId, span_id: of.spanId };
}
