// SPDX-License-Identifier: Apache-2.0
import { METRICS, PROCESS_METRICS } from '@impound/runtime/semantics.ts';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import type { Resource } from '@opentelemetry/resources';
import {
  type IMetricReader,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
  type ResourceMetrics,
  type ViewOptions,
} from '@opentelemetry/sdk-metrics';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import type { Resources } from './resources.ts';
import type { Protocol, Settings } from './settings.ts';

type Limits = Pick<Settings, 'exportMsMax'>;

/** Sends spans, each under the resource of the service that made it. */
export async function otlpSpans(
  protocol: Protocol,
  limits: Limits,
  resources: Resources,
): Promise<SpanExporter> {
  const { OTLPTraceExporter } =
    protocol === 'http/json'
      ? await import('@opentelemetry/exporter-trace-otlp-http')
      : await import('@opentelemetry/exporter-trace-otlp-proto');
  const exporter = new OTLPTraceExporter(optionsOf(limits));
  return {
    export: (spans, done) => exporter.export(spans.map(underOwn(resources)), done),
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush(),
  };
}

function underOwn(resources: Resources): (span: ReadableSpan) => ReadableSpan {
  return (span) =>
    Object.create(span, { resource: { value: resources.of(span.instrumentationScope.name) } });
}

/** Sends metrics now and again, in one request for each service that runs in this process. */
export async function otlpMetrics(
  of: { readonly protocol: Protocol; readonly everyMs: number },
  limits: Limits,
  resources: Resources,
): Promise<IMetricReader> {
  const { OTLPMetricExporter } =
    of.protocol === 'http/json'
      ? await import('@opentelemetry/exporter-metrics-otlp-http')
      : await import('@opentelemetry/exporter-metrics-otlp-proto');
  const exporter = byService(new OTLPMetricExporter(optionsOf(limits)), resources);
  return new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: of.everyMs });
}

function byService(exporter: PushMetricExporter, resources: Resources): PushMetricExporter {
  const send = (metrics: ResourceMetrics): Promise<ExportResult> =>
    new Promise((resolve) => exporter.export(metrics, resolve));
  const { selectAggregation, selectAggregationTemporality } = exporter;
  return {
    export: (whole, done) => {
      void Promise.all(partsOf(whole, resources).map(send)).then((results) =>
        done(
          results.find(({ code }) => code !== ExportResultCode.SUCCESS) ?? {
            code: ExportResultCode.SUCCESS,
          },
        ),
      );
    },
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
    ...(selectAggregation && { selectAggregation: selectAggregation.bind(exporter) }),
    ...(selectAggregationTemporality && {
      selectAggregationTemporality: selectAggregationTemporality.bind(exporter),
    }),
  };
}

function partsOf({ scopeMetrics }: ResourceMetrics, resources: Resources): ResourceMetrics[] {
  const parts = Map.groupBy(scopeMetrics, ({ scope }): Resource => resources.of(scope.name));
  return [...parts].map(([resource, metrics]) => ({ resource, scopeMetrics: metrics }));
}

/** Shows metrics to Prometheus at /metrics; a port that is taken costs the metrics and no more. */
export function prometheus(
  at: { readonly host: string; readonly port: number },
  troubled: (error: Error) => void,
): IMetricReader {
  return new PrometheusExporter(at, (error) => {
    if (error) troubled(error);
  });
}

const UNITS: Readonly<Record<string, string>> = { s: 'seconds', By: 'bytes' };

/**
 * Prometheus has units in its names. Collectors write them there, this exporter does not: with
 * these views a metric has one name in Prometheus, whichever way it came.
 */
export function unitsInNames(): ViewOptions[] {
  return [...Object.values(METRICS), ...Object.values(PROCESS_METRICS)].flatMap(
    ({ name: instrumentName, unit }) => {
      const word = UNITS[unit];
      return word === undefined ? [] : [{ instrumentName, name: `${instrumentName}.${word}` }];
    },
  );
}

function optionsOf({ exportMsMax }: Limits) {
  return exportMsMax === undefined ? {} : { timeoutMillis: exportMsMax };
}
