// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Environment } from '@impound/runtime/config.ts';

/** A span as it arrived; ids are hex. */
export interface ReceivedSpan {
  readonly service: string;
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly error: boolean;
}

/** One point of a metric; of a histogram its count. */
export interface ReceivedPoint {
  readonly service: string;
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  readonly labels: Readonly<Record<string, unknown>>;
}

/** A receiver of OTLP over HTTP in JSON, for tests. */
export interface Receiver extends AsyncDisposable {
  readonly url: string;
  /** What a process needs to send here. */
  readonly environment: Environment;
  readonly spans: readonly ReceivedSpan[];
  /** Every point that came, oldest first. */
  readonly points: readonly ReceivedPoint[];
  /** Every body as it came. */
  readonly bodies: readonly Buffer[];
  /** The latest value, added up over the series that these labels fit; undefined: none came. */
  latest(name: string, labels?: Readonly<Record<string, unknown>>): number | undefined;
}

/** Listens on a free port of this machine. */
export async function openReceiver(answer: 'ok' | 'never' = 'ok'): Promise<Receiver> {
  const spans: ReceivedSpan[] = [];
  const points: ReceivedPoint[] = [];
  const bodies: Buffer[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      bodies.push(body);
      if (request.headers['content-type'] === 'application/json') {
        const message = JSON.parse(body.toString('utf8'));
        spans.push(...spansOf(message));
        points.push(...pointsOf(message));
      }
      if (answer === 'ok')
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    environment: {
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_BSP_SCHEDULE_DELAY: '100',
      OTEL_METRIC_EXPORT_INTERVAL: '200',
    },
    spans,
    points,
    bodies,
    latest: (name, labels = {}) => latest(points, name, labels),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function latest(
  points: readonly ReceivedPoint[],
  name: string,
  wanted: Readonly<Record<string, unknown>>,
): number | undefined {
  const fits = points.filter(
    (point) =>
      point.name === name &&
      Object.entries(wanted).every(([label, value]) => point.labels[label] === value),
  );
  const series = new Map(
    fits.map(({ service, labels, value }) => [JSON.stringify([service, labels]), value]),
  );
  return series.size === 0 ? undefined : [...series.values()].reduce((sum, one) => sum + one, 0);
}

// biome-ignore-start lint/suspicious/noExplicitAny: the shapes are those of opentelemetry-proto
function spansOf(message: any): ReceivedSpan[] {
  return (message.resourceSpans ?? []).flatMap((from: any) =>
    from.scopeSpans.flatMap((scope: any) =>
      scope.spans.map((span: any) => ({
        service: valuesOf(from.resource)['service.name'],
        name: span.name,
        kind: span.kind,
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId ?? '',
        links: span.links ?? [],
        attributes: valuesOf(span),
        error: span.status?.code === 2,
      })),
    ),
  );
}

function pointsOf(message: any): ReceivedPoint[] {
  return (message.resourceMetrics ?? []).flatMap((from: any) =>
    from.scopeMetrics.flatMap((scope: any) =>
      scope.metrics.flatMap(({ name, unit, sum, gauge, histogram }: any) =>
        (sum ?? gauge ?? histogram).dataPoints.map((point: any) => ({
          service: valuesOf(from.resource)['service.name'],
          name,
          unit,
          value: Number(point.asDouble ?? point.asInt ?? point.count),
          labels: valuesOf(point),
        })),
      ),
    ),
  );
}

function valuesOf({ attributes = [] }: any): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ key, value }: any) => [
      key,
      value.intValue === undefined ? Object.values(value)[0] : Number(value.intValue),
    ]),
  );
}
// biome-ignore-end lint/suspicious/noExplicitAny: the shapes are those of opentelemetry-proto
