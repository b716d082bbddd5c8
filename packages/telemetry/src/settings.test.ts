// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSettings } from './settings.ts';

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

test('without an endpoint there is no telemetry', () => {
  for (const environment of [
    {},
    { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' },
    { OTEL_SERVICE_NAME: 'x' },
  ]) {
    const { traces, metrics, faults } = readSettings(environment);
    assert.deepEqual([traces, metrics, faults], [undefined, undefined, []]);
  }
});

test('one endpoint serves spans and metrics, and each can have its own', () => {
  const both = readSettings(ENDPOINT);
  assert.deepEqual(both.traces, {
    protocol: 'http/protobuf',
    sampler: { kind: 'always_on', ratio: 1 },
  });
  assert.deepEqual(both.metrics, {
    otlp: { protocol: 'http/protobuf', everyMs: 60_000 },
    prometheus: undefined,
  });
  const spans = readSettings({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://one/v1/traces' });
  assert.ok(spans.traces);
  assert.equal(spans.metrics, undefined);
});

test('Prometheus needs no endpoint', () => {
  const environment = {
    OTEL_METRICS_EXPORTER: 'prometheus',
    OTEL_EXPORTER_PROMETHEUS_PORT: '9999',
  };
  const { traces, metrics } = readSettings(environment);
  assert.equal(traces, undefined);
  assert.deepEqual(metrics, { otlp: undefined, prometheus: { host: 'localhost', port: 9_999 } });
});

test('none and OTEL_SDK_DISABLED switch off what an endpoint switches on', () => {
  const none = { ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none' };
  for (const environment of [none, { ...ENDPOINT, OTEL_SDK_DISABLED: 'TRUE' }]) {
    const { traces, metrics } = readSettings(environment);
    assert.deepEqual([traces, metrics], [undefined, undefined]);
  }
});

test('a sampler is taken with and without its parent', () => {
  const of = (name: string, arg = '0.25') =>
    readSettings({ ...ENDPOINT, OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: arg }).traces
      ?.sampler;
  assert.deepEqual(of('parentbased_traceidratio'), { kind: 'traceidratio', ratio: 0.25 });
  assert.deepEqual(of('traceidratio'), { kind: 'traceidratio', ratio: 0.25 });
  assert.deepEqual(of('always_off'), { kind: 'always_off', ratio: 1 });
});

test('what is not understood is passed over and named without its value', () => {
  const { traces, metrics, faults, batch } = readSettings({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'grpc://user:hunter2@collector',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://collector:4318/v1/traces',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_TRACES_SAMPLER: 'hunter2',
    OTEL_TRACES_SAMPLER_ARG: 'hunter2',
    OTEL_BSP_SCHEDULE_DELAY: 'hunter2',
    OTEL_METRICS_EXPORTER: 'otlp,hunter2',
  });
  assert.equal(traces?.protocol, 'http/protobuf');
  assert.equal(metrics, undefined);
  assert.equal(batch.scheduledDelayMillis, 5_000);
  assert.equal(faults.length, 6);
  assert.equal(faults.join().includes('hunter2'), false);
});
