// SPDX-License-Identifier: Apache-2.0
import { FORETOLD } from '@impound/runtime/trace.ts';
import { context, type SpanContext } from '@opentelemetry/api';
import { type IdGenerator, RandomIdGenerator } from '@opentelemetry/sdk-trace';

/** Random ids, but for the root of an acquisition, whose ids everybody knows beforehand. */
export function foretoldIds(): IdGenerator {
  const random = new RandomIdGenerator();
  const foretold = () => context.active().getValue(FORETOLD) as SpanContext | undefined;
  return {
    generateTraceId: () => foretold()?.traceId ?? random.generateTraceId(),
    generateSpanId: () => foretold()?.spanId ?? random.generateSpanId(),
  };
}
