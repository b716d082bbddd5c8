// SPDX-License-Identifier: Apache-2.0
// The configuration of deploy/otel in an OpenTelemetry collector, and what went through it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startChild } from '@impound/runtime/embedded/child.ts';
import { freePort } from '@impound/runtime/embedded/ports.ts';
import { rootOf } from '@impound/runtime/trace.ts';
import { openReceiver } from '@impound/telemetry/testing/receiver.ts';
import { parse } from 'yaml';
import { podNames } from '../../drill/fleet/cluster.ts';
import { SERVICES } from '../../drill/fleet/crew.ts';
import { startVictoria, withoutServers } from './prometheus.ts';
import { seen, startSeenFleet } from './telemetry.ts';

const CONFIG = fileURLToPath(new URL('../../deploy/otel/collector.yaml', import.meta.url));
const OTELCOL = process.env['OTELCOL'] ?? '';
const missing = OTELCOL === '' ? 'OTELCOL names no collector' : await withoutServers();
const skip = missing === undefined ? {} : { skip: missing };
const TEST_MS_MAX = 280_000;
const run = promisify(execFile);

interface Config {
  receivers: Record<string, { protocols: { http: { endpoint: string } } }>;
  exporters: Record<string, object>;
}

async function written(t: TestContext, config: Config): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'impound-collector-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'collector.yaml');
  await writeFile(file, JSON.stringify(config));
  return file;
}

test('a collector takes the configuration', skip, async () => {
  const backend = 'http://127.0.0.1:4318';
  const env = { ...process.env, OTLP_BACKEND: backend, OTLP_METRICS_BACKEND: backend };
  await run(OTELCOL, ['validate', `--config=${CONFIG}`], { env });
});

test('one acquisition is one trace also behind a collector, with its links and its figures', {
  ...skip,
  timeout: TEST_MS_MAX,
}, async (t) => {
  const scope = new AsyncDisposableStack();
  t.after(() => scope.disposeAsync());
  const backend = scope.use(await openReceiver());
  const victoria = scope.use(await startVictoria(t.signal));
  const config: Config = parse(await readFile(CONFIG, 'utf8'));
  const at = `127.0.0.1:${await freePort()}`;
  const [receiver] = Object.values(config.receivers);
  assert.ok(receiver);
  receiver.protocols.http.endpoint = at;
  // What looks at traces here reads JSON.
  const asJson = { encoding: 'json', compression: 'none' };
  Object.assign(config.exporters['otlp_http/traces'] ?? {}, asJson);
  const metrics = victoria.endpoint.replace('/v1/metrics', '');
  const env = { ...process.env, OTLP_BACKEND: backend.url, OTLP_METRICS_BACKEND: metrics };
  const args = [`--config=${await written(t, config)}`];
  const command = { file: OTELCOL, args, cwd: '/', env: env as Record<string, string> };
  const child = await startChild({ ...command, deathSignal: 'KILL' }, t.signal);
  scope.defer(() => child.end('SIGTERM', 10_000));
  await seen('a collector that listens', async () => {
    if (!child.running()) throw new Error(`the collector ended: ${child.log()}`);
    return await fetch(`http://${at}/`).then(
      () => true,
      () => false,
    );
  });
  const sending = {
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `http://${at}/v1/traces`,
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf',
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `http://${at}/v1/metrics`,
    OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'http/protobuf',
    OTEL_METRIC_EXPORT_INTERVAL: '1000',
  };
  const settings = Object.fromEntries(SERVICES.map((name) => [name, sending]));
  const { fleet } = scope.use(await startSeenFleet({ pods: podNames(1, 0), settings }, t.signal));
  const acquisitionId = await fleet.order(fleet.pods[0] ?? '');
  const { event } = await fleet.tap.ended(acquisitionId, t.signal);
  assert.equal(event.type, 'acquisition.sealed.v1');
  const { traceId, spanId } = rootOf(acquisitionId);
  const own = () => backend.spans.filter((span) => span.traceId === traceId);
  const ids = () => new Set(own().map((span) => span.spanId));
  const roots = () => own().filter(({ parentSpanId }) => !ids().has(parentSpanId));
  await seen('the whole trace', () => {
    const ended = own().some(({ name }) => name === 'publish acquisition.sealed');
    return ended && roots().length === 1;
  });
  const services = [...new Set(own().map(({ service }) => service))].toSorted();
  assert.deepEqual(services, SERVICES.map((name) => `impound-${name}`).toSorted());
  const [root] = roots();
  assert.equal(root?.spanId, spanId);
  const request = await seen('the request that began it', () =>
    // What is told again has such a link, too, in the trace of the acquisition.
    backend.spans.find(({ links, traceId: its }) => {
      return its !== traceId && links.some((link) => link.spanId === spanId);
    }),
  );
  assert.equal(request.name, 'POST /v1/acquisitions');
  assert.deepEqual(
    root?.links.map((link) => [link.traceId, link.spanId]),
    [[request.traceId, request.spanId]],
  );
  const sealed = 'impound_ledger_entries_total{type="acquisition.sealed.v1"}';
  await seen('the seal among the figures', async () => {
    return (await victoria.value(sealed)) === 1;
  });
  t.diagnostic(`${own().length} spans of ${services.length} services`);
});
