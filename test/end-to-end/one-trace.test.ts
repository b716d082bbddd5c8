// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { consumerPlan, STREAM } from '@impound/contracts/streams.ts';
import { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';
import { openBus } from '@impound/runtime/bus.ts';
import { seedFile } from '@impound/runtime/bus-keys.ts';
import { newId } from '@impound/runtime/ids.ts';
import { openLog } from '@impound/runtime/log.ts';
import { sayer } from '@impound/runtime/say.ts';
import { METRICS } from '@impound/runtime/semantics.ts';
import { rootOf } from '@impound/runtime/trace.ts';
import type { ReceivedSpan } from '@impound/telemetry/testing/receiver.ts';
import { jetstreamManager } from '@nats-io/jetstream';
import { podNames } from '../../drill/fleet/cluster.ts';
import { SERVICES } from '../../drill/fleet/crew.ts';
import { type SeenFleet, seen, startSeenFleet } from './telemetry.ts';

const START_MS_MAX = 280_000;
const TEST_MS_MAX = 280_000;
/** Enough for an order and too little for any entry. */
const NO_ENTRY_BYTES = 32;

const over = new AbortController();
let it: SeenFleet;
before(
  async () => {
    it = await startSeenFleet({ pods: podNames(4, 0) }, over.signal);
  },
  { timeout: START_MS_MAX },
);
after(async () => {
  over.abort();
  await it?.[Symbol.asyncDispose]();
});

const pod = (at: number) => it.fleet.pods[at] ?? '';

async function sealed(acquisitionId: string): Promise<void> {
  const { event } = await it.fleet.tap.ended(acquisitionId, over.signal);
  assert.equal(event.type, 'acquisition.sealed.v1');
}

/** What the services do for one acquisition; each sends it in its own time. */
const SPANS = [
  ['executor-kubernetes', 'process acquisition.assigned.v1'],
  ['executor-kubernetes', 'uploader.open.v1'],
  ['uploader', 'uploader.open.v1'],
  ['uploader', 'PUT /v1/uploads/:opaque/parts/:number'],
  ['uploader', 'process evidence.captured.v1'],
  ['coordinator', 'send acquisition.sealed.v1'],
  ['ledger', 'record acquisition.sealed'],
] as const;

/** All spans of an acquisition's trace, once the one that ends it has come. */
async function traceOf(acquisitionId: string): Promise<readonly ReceivedSpan[]> {
  const { traceId } = rootOf(acquisitionId);
  const own = () => it.receiver.spans.filter((span) => span.traceId === traceId);
  await seen('the end of the trace', () =>
    own().some(({ name }) => name === 'publish acquisition.sealed'),
  );
  await seen('every parent', () => parentless(own()).length === 1);
  return own();
}

/** The spans whose parent did not arrive: of a whole trace it is the root alone. */
function parentless(spans: readonly ReceivedSpan[]): readonly ReceivedSpan[] {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  return spans.filter(({ parentSpanId }) => !ids.has(parentSpanId));
}

test('one acquisition is one trace, in which every service has its spans', {
  timeout: TEST_MS_MAX,
}, async () => {
  const { fleet, receiver } = it;
  const acquisitionId = await fleet.order(pod(0));
  await sealed(acquisitionId);
  const { traceId, spanId } = rootOf(acquisitionId);
  for (const [service, name] of SPANS) {
    await seen(`${name} of ${service}`, () =>
      receiver.spans.some(
        (span) =>
          span.traceId === traceId && span.service === `impound-${service}` && span.name === name,
      ),
    );
  }
  const spans = await traceOf(acquisitionId);
  assert.deepEqual(
    [...new Set(spans.map(({ service }) => service))].toSorted(),
    SERVICES.map((name) => `impound-${name}`).toSorted(),
  );
  const [root] = parentless(spans);
  assert.deepEqual(
    [root?.name, root?.spanId, root?.service],
    ['send acquisition.requested.v1', spanId, 'impound-gateway'],
  );
  // The request is in its caller's trace, and each names the other.
  const request = await seen('the request', () =>
    receiver.spans.find(
      ({ name, links }) =>
        name === 'POST /v1/acquisitions' && links.some((link) => link.traceId === traceId),
    ),
  );
  assert.deepEqual(
    root?.links.map((link) => link.spanId),
    [request.spanId],
  );
  const chain = await fleet.tap.chain(acquisitionId);
  const told = chain.map(({ event }) => event.traceparent?.split('-')[1]);
  assert.deepEqual([...new Set(told)], [traceId]);
  assert.equal(spans.filter(({ error }) => error).length, 0);
});

test('a lease that lapses stays in the trace, and the metrics move', {
  timeout: TEST_MS_MAX,
}, async () => {
  const { fleet, receiver } = it;
  const executor = fleet.victim('executor-kubernetes');
  const path = new RegExp(`/pods/${pod(1)}/exec`);
  fleet.lab.inject({ kind: 'stall', afterBytes: 4_096, path, times: 1 });
  const started = fleet.tap.next('execution.started.v1');
  const acquisitionId = await fleet.order(pod(1));
  await started;
  await seen('a running job', () => receiver.latest(METRICS.jobsRunning.name) === 1);
  const executing = { state: 'executing' };
  await seen('an open one', () => receiver.latest(METRICS.open.name, executing) === 1);
  executor.neglect();
  await executor.kill();
  const lapsed = { type: 'execution.lapsed.v1' };
  await seen('a lapse', () => (receiver.latest(METRICS.entries.name, lapsed) ?? 0) === 1);
  assert.ok(
    receiver.points.some(
      ({ name, labels, value }) =>
        name === METRICS.openAge.name && labels['state'] === 'executing' && value > 20,
    ),
  );
  executor.mend();
  await sealed(acquisitionId);
  const { traceId } = rootOf(acquisitionId);
  const own = await seen('the lapse', () => {
    const spans = receiver.spans.filter((span) => span.traceId === traceId);
    return spans.some(({ name }) => name === 'send execution.lapsed.v1') && spans;
  });
  const [said] = own.filter(({ name }) => name === 'send execution.lapsed.v1');
  assert.equal(said?.service, 'impound-coordinator');
  await seen('nothing open', () => receiver.latest(METRICS.open.name, executing) === 0);
});

test('a refused say and a refused caller are counted by their codes', {
  timeout: TEST_MS_MAX,
}, async (t) => {
  const { fleet, receiver } = it;
  const scope = new AsyncDisposableStack();
  t.after(() => scope.disposeAsync());
  const acquisitionId = await fleet.order(pod(2));
  await sealed(acquisitionId);
  const nkeyFile = seedFile(join(fleet.directory, 'bus-keys'), 'discovery');
  const options = { url: fleet.bus.now().url, nkeyFile, service: 'discovery', worker: 'd-1' };
  const log = openLog('test', 'silent');
  const connection = await openBus(options, log, scope, over.signal);
  const say = sayer(connection, '/impound/discovery/d-1');
  const data = TargetMissingV1.shape.parse(TargetMissingV1.example);
  const about = { id: newId(), tenant: 'default', acquisitionId, expectedVersion: 1 };
  const reply = await say({ contract: TargetMissingV1, data, ...about }, over.signal);
  assert.equal(reply.ok, false);
  const conflict = { outcome: 'conflict' };
  await seen('a conflict', () => (receiver.latest(METRICS.recorded.name, conflict) ?? 0) >= 1);
  const answer = await fetch(`${fleet.access.url}/v1/acquisitions`, {
    headers: { authorization: 'Bearer nobody-has-this-token-0123456789' },
  });
  assert.equal(answer.status, 401);
  const refused = { code: 'token-refused' };
  await seen('a refusal', () => receiver.latest(METRICS.refusal.name, refused) === 1);
  const status = { 'http.response.status_code': 401 };
  await seen('its answer', () => receiver.latest(METRICS.request.name, status) === 1);
});

test('what is committed and not told is counted, and what nobody hears', {
  timeout: TEST_MS_MAX,
}, async () => {
  const { fleet, receiver } = it;
  const manager = await jetstreamManager(fleet.watcher);
  const { config } = await manager.streams.info(STREAM.name);
  await manager.streams.update(STREAM.name, { ...config, max_msg_size: NO_ENTRY_BYTES });
  const acquisitionId = await fleet.order(pod(3));
  await seen('an untold entry', () => (receiver.latest(METRICS.untold.name) ?? 0) >= 1);
  await seen('its age', () => (receiver.latest(METRICS.untoldAge.name) ?? 0) > 1);
  const discovery = fleet.victim('discovery');
  discovery.neglect();
  await discovery.kill();
  await manager.streams.update(STREAM.name, config);
  await seen('all told', () => receiver.latest(METRICS.untold.name) === 0);
  const { durable } = consumerPlan('discovery', 'acquisition.requested.v1', '*');
  const consumer = { consumer: durable };
  await seen('an unheard one', () => {
    const pending = receiver.latest(METRICS.pending.name, consumer) ?? 0;
    return pending + (receiver.latest(METRICS.unsettled.name, consumer) ?? 0) >= 1;
  });
  discovery.mend();
  await sealed(acquisitionId);
  await seen('all heard', () => receiver.latest(METRICS.pending.name, consumer) === 0);
});

test('bytes, jobs, says, questions and processes are measured, with no id in any label', async () => {
  const { receiver, fleet } = it;
  const named = (name: string) => (receiver.latest(name) ?? 0) > 0;
  for (const { name } of [
    METRICS.captured,
    METRICS.received,
    METRICS.verified,
    METRICS.job,
    METRICS.jobSlots,
    METRICS.say,
    METRICS.ask,
    METRICS.message,
    METRICS.terms,
    METRICS.writing,
  ]) {
    await seen(name, () => named(name));
  }
  for (const name of ['process.memory.usage', 'process.cpu.time', 'process.uptime']) {
    assert.ok(named(name), name);
  }
  const labels = JSON.stringify(receiver.points.map((point) => point.labels));
  for (const id of [...fleet.accepted, ...fleet.pods]) assert.ok(!labels.includes(id), id);
  const series = new Set(receiver.points.map(({ name, labels: of }) => name + JSON.stringify(of)));
  assert.ok(series.size < 600, `${series.size} series`);
});

test('a line of the log that belongs to an acquisition names its trace', async () => {
  const logs = join(it.fleet.directory, 'logs');
  const names = await readdir(logs);
  const lines = (await Promise.all(names.map((name) => readFile(join(logs, name), 'utf8'))))
    .join('')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const traced = lines.flatMap(({ trace_id }) => (trace_id === undefined ? [] : String(trace_id)));
  const known = new Set([...it.fleet.accepted].map((id) => rootOf(id).traceId));
  assert.ok(traced.some((id) => known.has(id)));
});
