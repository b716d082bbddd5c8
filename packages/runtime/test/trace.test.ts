// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { LedgerHeadV1 } from '@impound/contracts/ask/ledger.head.v1.ts';
import { SpanStatusCode, trace } from '@opentelemetry/api';
import * as z from 'zod';
import { Never } from '../src/fault.ts';
import { newId } from '../src/ids.ts';
import { type House, service } from '../src/service.ts';
import { answerTo, hearer, missing, ofDiscovery } from './hearer.ts';
import { registerTracing } from './tracing.ts';
import { until } from './world.ts';

const GIVEN = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const never = new AbortController().signal;

const gateway = service({
  name: 'gateway',
  config: z.object({}),
  open: async () => ({}),
  says: [AcquisitionRequestedV1],
  hears: [],
  answers: [],
});

async function order(house: House, traceparent?: string): Promise<string> {
  const acquisitionId = newId();
  const data = AcquisitionRequestedV1.shape.parse(AcquisitionRequestedV1.example);
  const about = { id: newId(), tenant: 'default', acquisitionId, traceparent };
  const reply = await house.say({ contract: AcquisitionRequestedV1, data, ...about }, never);
  assert.ok(reply.ok);
  return acquisitionId;
}

test('where nothing traces, what came in is carried on', async (t) => {
  const it = await ofDiscovery(t);
  await it.start(hearer(async () => missing('x')));
  const { house } = await it.start(gateway);
  const traced = await order(house, GIVEN);
  await answerTo(it, traced);
  const carried = it.ledger.chain(traced).map(({ event }) => event.traceparent);
  assert.deepEqual(carried, [GIVEN, GIVEN]);
  const plain = await order(house);
  await answerTo(it, plain);
  assert.equal(
    it.ledger.chain(plain).some(({ event }) => 'traceparent' in event),
    false,
  );
});

test('a span goes from the one who says to the one who hears, and on to what that says', async (t) => {
  const spans = registerTracing();
  const it = await ofDiscovery(t);
  await it.start(hearer(async () => missing('x')));
  const { house } = await it.start(gateway);
  const acquisitionId = await trace
    .getTracer('test')
    .startActiveSpan('order', async (span) => await order(house, GIVEN).finally(() => span.end()));
  await answerTo(it, acquisitionId);
  const [root] = spans;
  const heard = await until(() =>
    spans.find(({ name, ended }) => name === AcquisitionRequestedV1.type && ended),
  );
  const { traceId, spanId } = root?.context ?? {};
  assert.deepEqual([heard.parent?.traceId, heard.parent?.spanId], [traceId, spanId]);
  assert.deepEqual(
    heard.options.links?.map(({ context }) => context.spanId),
    [spanId],
  );
  const [first, second] = it.ledger.chain(acquisitionId).map(({ event }) => event.traceparent);
  assert.equal(first, `00-${traceId}-${spanId}-01`);
  assert.equal(second, `00-${traceId}-${heard.context.spanId}-01`);
  assert.equal(heard.status, undefined);
});

test('a question carries the span of the one who asks', async (t) => {
  const spans = registerTracing();
  const it = await ofDiscovery(t);
  const { house } = await it.start(gateway);
  const request = LedgerHeadV1.request.parse(LedgerHeadV1.example.request);
  await trace.getTracer('test').startActiveSpan('look', async () => {
    await house.ask(LedgerHeadV1, request, never);
  });
  const answered = await until(() => spans.find(({ name }) => name === LedgerHeadV1.name));
  assert.equal(answered.parent?.spanId, spans[0]?.context.spanId);
});

test('the span of a message whose handler fails tells the code', async (t) => {
  const spans = registerTracing();
  const it = await ofDiscovery(t);
  await it.start(
    hearer(async () => {
      throw new Never('pod-gone', 'gone');
    }),
  );
  const { house } = await it.start(gateway);
  await answerTo(it, await order(house));
  const heard = await until(() => spans.find(({ ended }) => ended));
  assert.deepEqual(heard.status, { code: SpanStatusCode.ERROR, message: 'pod-gone' });
});
