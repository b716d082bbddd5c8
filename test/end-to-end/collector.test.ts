// SPDX-License-Identifier: Apache-2.0
// The configuration of deploy/otel in an OpenTelemetry collector, and a trace that went through it.
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
import { seen, startSeenFleet } from './telemetry.ts';

const CONFIG = fileURLToPath(new URL('../../deploy/otel/collector.yaml', import.meta.url));
const OTELCOL = process.env['OTELCOL'] ?? '';
const skip = OTELCOL === '' ? { skip: 'OTELCOL names no OpenTelemetry collector' } : {};
const TEST_MS_MAX = 280_000;
const run = promisify(execFile);

type Parts = Record<string, unknown>;
interface Config {
  receivers: Record<string, { protocols: { http: { endpoint: string } } }>;
  processors: Parts;
  exporters: Record<string, Parts>;
  extensions: Parts;
  service: {
    extensions: string[];
    pipelines: Record<string, Record<'receivers' | 'processors' | 'exporters', string[]>>;
  };
}

const KINDS = ['receivers', 'processors', 'exporters', 'extensions'] as const;

/** The configuration without what this program was built without, and what that is. */
async function known(): Promise<{ config: Config; without: readonly string[] }> {
  const config: Config = parse(await readFile(CONFIG, 'utf8'));
  const { stdout } = await run(OTELCOL, ['components']);
  const has = parse(stdout) as Record<string, { name: string }[]>;
  const lacks = (kind: string, id: string) =>
    !(has[kind] ?? []).some(({ name }) => name === id.split('/')[0]);
  const without = KINDS.flatMap((kind) =>
    Object.keys(config[kind]).filter((id) => lacks(kind, id)),
  );
  leaveOut(config, without);
  return { config, without };
}

function leaveOut(config: Config, without: readonly string[]): void {
  for (const kind of KINDS) for (const id of without) delete config[kind][id];
  const left = (ids: string[]) => ids.filter((id) => !without.includes(id));
  const { service } = config;
  service.extensions = left(service.extensions);
  for (const [name, { receivers, processors, exporters }] of Object.entries(service.pipelines)) {
    const some = {
      receivers: left(receivers),
      processors: left(processors),
      exporters: left(exporters),
    };
    if (some.exporters.length > 0) service.pipelines[name] = some;
    else delete service.pipelines[name];
  }
}

async function written(t: TestContext, config: Config): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'impound-collector-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'collector.yaml');
  await writeFile(file, JSON.stringify(config));
  return file;
}

test('a collector takes the configuration', skip, async (t) => {
  const { config, without } = await known();
  const env = { ...process.env, OTLP_BACKEND: 'http://127.0.0.1:4318' };
  const file = without.length === 0 ? CONFIG : await written(t, config);
  await run(OTELCOL, ['validate', `--config=${file}`], { env });
  t.diagnostic(without.length === 0 ? 'whole' : `built without, so not tried: ${without.join()}`);
});

test('one acquisition is one trace also behind a collector, with its links', {
  ...skip,
  timeout: TEST_MS_MAX,
}, async (t) => {
  const scope = new AsyncDisposableStack();
  t.after(() => scope.disposeAsync());
  const backend = scope.use(await openReceiver());
  const { config } = await known();
  const at = `127.0.0.1:${await freePort()}`;
  const [receiver] = Object.values(config.receivers);
  assert.ok(receiver);
  receiver.protocols.http.endpoint = at;
  for (const exporter of Object.values(config.exporters)) {
    if ('endpoint' in exporter && String(exporter['endpoint']).includes('OTLP_BACKEND')) {
      Object.assign(exporter, { encoding: 'json', compression: 'none' });
    }
  }
  const env = { ...process.env, OTLP_BACKEND: backend.url };
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
    backend.spans.find(({ links }) => links.some((link) => link.spanId === spanId)),
  );
  assert.equal(request.name, 'POST /v1/acquisitions');
  assert.deepEqual(
    root?.links.map((link) => [link.traceId, link.spanId]),
    [[request.traceId, request.spanId]],
  );
  t.diagnostic(`${own().length} spans of ${services.length} services`);
});
