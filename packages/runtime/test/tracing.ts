// SPDX-License-Identifier: Apache-2.0
import { context, propagation, type SpanContext, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  InMemorySpanExporter,
  RandomIdGenerator,
  type ReadableSpan,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { FORETOLD } from '../src/trace.ts';

/** The spans that have ended so far. */
export interface Spans {
  all(): readonly ReadableSpan[];
  /** The one of this name, or nothing yet. */
  named(name: string): ReadableSpan | undefined;
}

const exporter = new InMemorySpanExporter();
let registered = false;

/** Registers tracing for this process, where that was not done, and gives the spans from now on. */
export function registerTracing(): Spans {
  exporter.reset();
  if (!registered) {
    const spanProcessors = [new SimpleSpanProcessor({ exporter })];
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors, idGenerator }));
  }
  registered = true;
  return {
    all: () => exporter.getFinishedSpans(),
    named: (name) => exporter.getFinishedSpans().find((span) => span.name === name),
  };
}

const random = new RandomIdGenerator();
const foretold = () => context.active().getValue(FORETOLD) as SpanContext | undefined;
const idGenerator = {
  generateTraceId: () => foretold()?.traceId ?? random.generateTraceId(),
  generateSpanId: () => foretold()?.spanId ?? random.generateSpanId(),
};
