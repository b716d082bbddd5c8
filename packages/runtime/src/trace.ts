// SPDX-License-Identifier: Apache-2.0
import {
  context,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';

const tracer = trace.getTracer('impound');

/** W3C Trace Context of the active span, or what was handed in where nothing traces. */
export function traceparent(inherited?: string): string | undefined {
  const carrier: Record<string, string> = {};
  propagation.inject(context.active(), carrier);
  return carrier['traceparent'] ?? inherited;
}

/** Runs one message's work inside a span named after its type, linked to the span that said it. */
export async function traced<T>(
  name: string,
  parent: string | undefined,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const remote = propagation.extract(context.active(), parent ? { traceparent: parent } : {});
  const link = trace.getSpanContext(remote);
  const options = { kind: SpanKind.CONSUMER, links: link ? [{ context: link }] : [] };
  return await tracer.startActiveSpan(name, options, remote, async (span) => {
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

/** Marks the span of the message that is worked on as failed, with the code of the fault. */
export function failed(code: string): void {
  trace.getActiveSpan()?.setStatus({ code: SpanStatusCode.ERROR, message: code });
}
