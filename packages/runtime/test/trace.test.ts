// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { LedgerHeadV1 } from '@impound/contracts/ask/ledger.head.v1.ts';
import { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';
import { SpanStatusCode, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import * as z from 'zod';
import { Never } from '../src/fault.ts';
import { newId } from '../src/ids.ts';
import { openLog } from '../src/log.ts';
import { type House, service } from '../src/service.ts';
import { untraced } from '../src/span.ts';
import { until } from '../src/testing/until.ts';
import { rootOf } from '../src/trace.ts';
import { answerTo, hearer, missing, ofDiscovery, TYPE } from './hearer.ts';
import { registerTracing, type Spans } from './tracing.ts';

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

async function order(house: House, traceparent?: string, acquisitionId = newId()): Promise<string> {
  const data = AcquisitionRequestedV1.shape.parse(AcquisitionRequestedV1.example);
  const about = { id: newId(), tenant: 'default', acquisitionId, traceparent };
  const reply = await house.say({ contract: AcquisitionRequestedV1, data, ...about }, never);
  assert.ok(reply.ok);
  return acquisitionId;
}

/** What a span hangs below and what it is linked to. */
function placeOf(span: ReadableSpan) {
  return {
    parent: span.parentSpanContext?.spanId,
    links: span.links.map(({ context }) => context.spanId),
  };
}

function named(spans: Spans, name: string): Promise<ReadableSpan> {
  return until(() => spans.named(name), name);
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

test('the trace of an acquisition is its own id, whatever trace the request came in', async (t) => {
  const spans = registerTracing();
  const it = await ofDiscovery(t);
  await it.start(hearer(async () => missing('x')));
  const { house } = await it.start(gateway);
  const acquisitionId = await trace
    .getTracer('test')
    .startActiveSpan('order', async (span) => await order(house, GIVEN).finally(() => span.end()));
  await answerTo(it, acquisitionId);
  await named(spans, `send ${TargetMissingV1.type}`);
  const { traceId, spanId } = rootOf(acquisitionId);
  assert.equal(traceId, acquisitionId.replaceAll('-', ''));
  const [asked, own] = [spans.named('order'), spans.all().filter(({ name }) => name !== 'order')];
  assert.deepEqual([...new Set(own.map((span) => span.spanContext().traceId))], [traceId]);
  const root = await named(spans, `send ${TYPE}`);
  assert.equal(root.spanContext().spanId, spanId);
  assert.deepEqual(placeOf(root), { parent: undefined, links: [asked?.spanContext().spanId] });
  assert.deepEqual(
    asked?.links.map(({ context }) => context.traceId),
    [traceId],
  );
  const [first, second] = it.ledger.chain(acquisitionId).map(({ event }) => event.traceparent);
  assert.equal(first, `00-${traceId}-${spanId}-01`);
  const said = await named(spans, `send ${TargetMissingV1.type}`);
  assert.equal(second, `00-${traceId}-${said.spanContext().spanId}-01`);
});

test('saying, recording, publishing, hearing and saying on are each below the other', async (t) => {
  const spans = registerTracing();
  const it = await ofDiscovery(t);
  await it.start(hearer(async () => missing('x')));
  const { house } = await it.start(gateway);
  const acquisitionId = await order(house);
  await answerTo(it, acquisitionId);
  const said = await named(spans, `send ${TargetMissingV1.type}`);
  const processed = await named(spans, `process ${TYPE}`);
  const { spanId } = rootOf(acquisitionId);
  assert.equal(placeOf(await named(spans, 'record acquisition.requested')).parent, spanId);
  assert.equal(placeOf(await named(spans, 'publish acquisition.requested')).parent, spanId);
  const published = await named(spans, 'publish acquisition.requested');
  assert.deepEqual(placeOf(processed), {
    parent: published.spanContext().spanId,
    links: [spanId],
  });
  assert.equal(placeOf(said).parent, processed.spanContext().spanId);
  assert.equal(processed.instrumentationScope.name, 'impound.discovery');
  assert.equal(said.status.code, SpanStatusCode.UNSET);
});

test('what is told again hangs below the root, with a link to the span that said it', async (t) => {
  const spans = registerTracing();
  const it = await ofDiscovery(t);
  let heard = 0;
  const counting = async () => {
    heard += 1;
    return undefined;
  };
  await it.start(hearer(counting, undefined));
  const { house } = await it.start(gateway);
  const acquisitionId = await order(house);
  await until(() => heard === 1);
  await it.tellAgain(acquisitionId);
  const again = await until(() =>
    spans.all().find(({ attributes }) => attributes['impound.told_again'] === true && heard === 2),
  );
  const { spanId } = rootOf(acquisitionId);
  assert.equal(again.name, `process ${TYPE}`);
  assert.deepEqual(placeOf(again), { parent: spanId, links: [spanId] });
});

test('a refused say tells the refusal, and an acquisition that began before has no second root', async (t) => {
  const spans = registerTracing();
  const it = await ofDiscovery(t);
  const { house } = await it.start(gateway);
  const data = AcquisitionRequestedV1.shape.parse(AcquisitionRequestedV1.example);
  const saying = { contract: AcquisitionRequestedV1, data, id: newId(), tenant: 'default' };
  const acquisitionId = newId();
  for (const _ of [1, 2]) await house.say({ ...saying, acquisitionId }, never);
  const begun = spans.all().filter(({ name }) => name === `send ${TYPE}`);
  assert.equal(begun.length, 1);
  const because = { code: 'pod-not-found', because: 'x' } as const;
  const contract = TargetMissingV1;
  const about = { id: newId(), tenant: 'default', acquisitionId, expectedVersion: 7 };
  const refused = await house.say({ contract, data: because, ...about } as never, never);
  assert.equal(refused.ok, false);
  const span = await named(spans, `send ${TargetMissingV1.type}`);
  assert.equal(span.attributes['error.type'], 'conflict');
});

test('a question is traced where something is, and only there', async (t) => {
  const spans = registerTracing();
  const it = await ofDiscovery(t);
  const { house } = await it.start(gateway);
  const request = LedgerHeadV1.request.parse(LedgerHeadV1.example.request);
  const ask = () => house.ask(LedgerHeadV1, request, never);
  await ask();
  await trace.getTracer('test').startActiveSpan('look', async (span) => {
    await untraced(ask);
    await ask();
    span.end();
    await ask();
  });
  const both = spans.all().filter(({ name }) => name === LedgerHeadV1.name);
  const [answered, asked] = both;
  assert.equal(both.length, 2);
  assert.equal(asked?.parentSpanContext?.spanId, spans.named('look')?.spanContext().spanId);
  assert.equal(answered?.parentSpanContext?.spanId, asked?.spanContext().spanId);
  assert.equal(answered?.instrumentationScope.name, 'impound.ledger');
});

test('the span of a message whose handler fails tells the code and nothing else', async (t) => {
  const spans = registerTracing();
  const it = await ofDiscovery(t);
  await it.start(
    hearer(async () => {
      throw new Never('pod-gone', 'the message is not for traces');
    }),
  );
  const { house } = await it.start(gateway);
  await answerTo(it, await order(house));
  const heard = await named(spans, `process ${TYPE}`);
  assert.deepEqual(heard.status, { code: SpanStatusCode.ERROR, message: 'pod-gone' });
  assert.deepEqual(heard.events, []);
  assert.equal(JSON.stringify(heard.attributes).includes('not for traces'), false);
});

test('a line of the log names the span that it was written in', () => {
  registerTracing();
  const lines: string[] = [];
  const log = openLog('one', 'info', { write: (line) => void lines.push(line) });
  log.info('outside');
  trace.getTracer('test').startActiveSpan('inside', (span) => {
    log.info('inside');
    span.end();
    const { trace_id, span_id } = JSON.parse(lines[1] ?? '{}');
    assert.deepEqual([trace_id, span_id], [span.spanContext().traceId, span.spanContext().spanId]);
  });
  assert.equal('trace_id' in JSON.parse(lines[0] ?? '{}'), false);
});
