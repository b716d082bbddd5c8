// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort } from '@impound/runtime/embedded/ports.ts';
import { openReceiver } from '../src/testing/receiver.ts';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const PROGRAM = fileURLToPath(new URL('house-of-one.ts', import.meta.url));
/** How it ends when the program ran to its end. */
const ITS_OWN_CODE = 7;

/** Runs the program with telemetry loaded before it. */
async function run(t: TestContext, environment: object, args: readonly string[] = []) {
  const env = { PATH: process.env['PATH'], ...environment };
  const child = spawn(process.execPath, ['--import', MAIN, PROGRAM, ...args], { env });
  t.after(() => child.kill('SIGKILL'));
  const [out, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { code, out, errors };
}

test('without an endpoint the program runs as if there were no telemetry', async (t) => {
  const { code, out, errors } = await run(t, {});
  assert.deepEqual([code, out, errors], [ITS_OWN_CODE, '', '']);
});

test('spans and metrics arrive when the program ends, under the service that made them', async (t) => {
  await using receiver = await openReceiver();
  const { code, out, errors } = await run(t, {
    ...receiver.environment,
    OTEL_BSP_SCHEDULE_DELAY: '600000',
    OTEL_METRIC_EXPORT_INTERVAL: '600000',
  });
  assert.deepEqual([code, out, errors], [ITS_OWN_CODE, 'recording\nrecording\n', '']);
  assert.deepEqual(receiver.spans.map(({ service, name }) => [service, name]).toSorted(), [
    ['impound-gateway', 'work of gateway'],
    ['impound-ledger', 'work of ledger'],
  ]);
  const counted = receiver.points.filter(({ name }) => name === 'impound.say.unanswered');
  assert.deepEqual(counted.map(({ service, value }) => [service, value]).toSorted(), [
    ['impound-gateway', 1],
    ['impound-ledger', 1],
  ]);
  assert.ok((receiver.latest('process.memory.usage') ?? 0) > 1_000_000);
});

test('a name from the environment counts for everything that a process sends', async (t) => {
  await using receiver = await openReceiver();
  await run(t, { ...receiver.environment, OTEL_SERVICE_NAME: 'ours' });
  assert.equal(receiver.spans.length, 2);
  assert.deepEqual([...new Set(receiver.spans.map(({ service }) => service))], ['ours']);
});

test('protobuf is what is spoken where nothing else is asked for', async (t) => {
  await using receiver = await openReceiver();
  const { environment } = receiver;
  const { code } = await run(t, { ...environment, OTEL_EXPORTER_OTLP_PROTOCOL: undefined });
  assert.equal(code, ITS_OWN_CODE);
  const sent = Buffer.concat(receiver.bodies);
  assert.deepEqual([receiver.spans.length, receiver.points.length], [0, 0]);
  for (const name of ['work of ledger', 'impound.say.unanswered']) assert.ok(sent.includes(name));
});

test('a sampler with ratio 0 sends no span', async (t) => {
  await using receiver = await openReceiver();
  const sampler = { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' };
  await run(t, { ...receiver.environment, ...sampler });
  assert.equal(receiver.spans.length, 0);
  assert.ok(receiver.points.length > 0);
});

test('a receiver that never answers holds up the end for seconds, and changes no exit code', async (t) => {
  await using receiver = await openReceiver('never');
  const { code } = await run(t, { ...receiver.environment, OTEL_EXPORTER_OTLP_TIMEOUT: '600000' });
  assert.equal(code, ITS_OWN_CODE);
  assert.ok(receiver.bodies.length > 0);
});

test('a receiver that is not there costs a line in the log, without its address', async (t) => {
  const port = await freePort();
  const endpoint = `http://user:hunter2hunter2@127.0.0.1:${port}`;
  const { code, errors } = await run(t, { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
  assert.equal(code, ITS_OWN_CODE);
  assert.match(errors, /telemetry lost/);
  assert.doesNotMatch(errors, new RegExp(`hunter2|${port}`));
});

test('Prometheus finds the metrics at the standard place', async (t) => {
  const port = String(await freePort());
  const { out } = await run(
    t,
    { OTEL_METRICS_EXPORTER: 'prometheus', OTEL_EXPORTER_PROMETHEUS_PORT: port },
    [port],
  );
  assert.match(out, /^impound_say_unanswered_total\{otel_scope_name="impound\.ledger".*\} 1$/m);
  assert.match(out, /^process_memory_usage_bytes\{/m);
});

test('a port that is taken costs the metrics and not the program', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.after(() => taken.close());
  const { port } = taken.address() as { port: number };
  const { code, errors } = await run(t, {
    OTEL_METRICS_EXPORTER: 'prometheus',
    OTEL_EXPORTER_PROMETHEUS_HOST: '127.0.0.1',
    OTEL_EXPORTER_PROMETHEUS_PORT: String(port),
  });
  assert.equal(code, ITS_OWN_CODE);
  assert.match(errors, /no metrics for Prometheus/);
});
