// SPDX-License-Identifier: Apache-2.0
import { messageOf } from '@impound/runtime/fault.ts';
import type { Log } from '@impound/runtime/log.ts';
import { context, metrics, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { setGlobalErrorHandler, W3CTraceContextPropagator } from '@opentelemetry/core';
import { type IMetricReader, MeterProvider } from '@opentelemetry/sdk-metrics';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { otlpMetrics, otlpSpans, prometheus, unitsInNames } from './exporters.ts';
import { foretoldIds } from './foretold-ids.ts';
import { watchProcess } from './process-metrics.ts';
import { resourcesOf } from './resources.ts';
import type { SamplerSetting, Settings } from './settings.ts';

const FLUSH_MS_MAX = 3_000;
const QUIET_MS = 60_000;

interface Provider {
  shutdown(): Promise<void>;
}

/** Registers what the settings ask for, and sends what is left when the program has ended. */
export async function begin(settings: Settings, log: Log): Promise<void> {
  setGlobalErrorHandler(seldom((error) => log.warn('telemetry lost', { because: namedIn(error) })));
  const resources = resourcesOf(settings);
  const providers: Provider[] = [];
  if (settings.traces) {
    const exporter = await otlpSpans(settings.traces.protocol, settings, resources);
    const spans = new TracerProvider({
      resource: resources.own,
      sampler: samplerOf(settings.traces.sampler),
      idGenerator: foretoldIds(),
      spanProcessors: [new BatchSpanProcessor({ exporter, ...settings.batch })],
    });
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    trace.setGlobalTracerProvider(spans);
    providers.push(spans);
  }
  if (settings.metrics) {
    const readers: IMetricReader[] = [];
    const { otlp } = settings.metrics;
    if (otlp) readers.push(await otlpMetrics(otlp, settings, resources));
    const troubled = (error: Error) =>
      log.warn('no metrics for Prometheus', { because: messageOf(error) });
    if (settings.metrics.prometheus) {
      readers.push(prometheus(settings.metrics.prometheus, troubled));
    }
    const views = settings.metrics.prometheus ? unitsInNames() : [];
    const meters = new MeterProvider({ resource: resources.own, readers, views });
    metrics.setGlobalMeterProvider(meters);
    watchProcess();
    providers.push(meters);
  }
  process.once('beforeExit', () => flush(providers));
}

/**
 * The parent decides, but one from another process only together with the trace id: the root of an
 * acquisition is computed by everybody and says "sampled" of itself.
 */
function samplerOf({ kind, ratio }: SamplerSetting): Sampler {
  if (kind === 'always_off') return new AlwaysOffSampler();
  if (kind === 'always_on') return new ParentBasedSampler({ root: new AlwaysOnSampler() });
  const root = new TraceIdRatioBasedSampler(ratio);
  return new ParentBasedSampler({ root, remoteParentSampled: root });
}

/** The program is over: what is left is sent, and where nobody takes it, the process ends. */
function flush(providers: readonly Provider[]): void {
  setTimeout(() => process.exit(), FLUSH_MS_MAX).unref();
  for (const provider of providers) void provider.shutdown().catch(() => undefined);
}

/** The class of a failed export: its message may hold the endpoint with what is secret in it. */
function namedIn(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: unknown };
  return [name, code].filter((one) => typeof one === 'string').join(' ') || 'an export failed';
}

/** A collector that is away is told once a minute, not with every export. */
function seldom<T>(act: (of: T) => void): (of: T) => void {
  let actedAt = Number.NEGATIVE_INFINITY;
  return (of) => {
    if (performance.now() - actedAt < QUIET_MS) return;
    actedAt = performance.now();
    act(of);
  };
}
