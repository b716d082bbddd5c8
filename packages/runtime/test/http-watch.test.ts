// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { type TestContext, test } from 'node:test';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { openHttpServer } from '../src/http-server.ts';
import { routed } from '../src/http-watch.ts';
import { traceHeaders } from '../src/span.ts';
import { until } from '../src/testing/until.ts';
import { registerTracing } from './tracing.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const SIGNED = '/v1/uploads/secret-name?sig=hunter2hunter2';

async function door(t: TestContext, listener: RequestListener): Promise<string> {
  const scope = new AsyncDisposableStack();
  t.after(() => scope.disposeAsync());
  const at = { service: 'uploader', host: '127.0.0.1', port: 0, requestMsMax: 10_000 };
  return `http://127.0.0.1:${(await openHttpServer(at, listener, scope)).port}`;
}

test('a request is a span in the trace of its caller, named after its route', async (t) => {
  const spans = registerTracing();
  const carried: object[] = [];
  const url = await door(t, async (_request, response) => {
    await Promise.resolve();
    routed('/v1/uploads/:opaque');
    carried.push(traceHeaders());
    response.writeHead(204).end();
  });
  const traceparent = `00-${TRACE}-${PARENT}-01`;
  await fetch(url + SIGNED, { method: 'PUT', body: 'x', headers: { traceparent } });
  const span = await until(() => spans.named('PUT /v1/uploads/:opaque'));
  assert.equal(span.kind, SpanKind.SERVER);
  assert.deepEqual([span.spanContext().traceId, span.parentSpanContext?.spanId], [TRACE, PARENT]);
  assert.deepEqual(span.attributes, {
    'http.request.method': 'PUT',
    'http.response.status_code': 204,
    'http.route': '/v1/uploads/:opaque',
  });
  assert.deepEqual(carried, [{ traceparent: `00-${TRACE}-${span.spanContext().spanId}-01` }]);
});

test('nothing of a path, a query or an odd method gets into a span', async (t) => {
  const spans = registerTracing();
  const url = await door(t, (_request, response) => response.writeHead(500).end());
  await fetch(url + SIGNED, { method: 'PROPFIND' });
  const span = await until(() => spans.named('_OTHER'));
  assert.equal(span.status.code, SpanStatusCode.ERROR);
  assert.doesNotMatch(JSON.stringify([span.name, span.attributes]), /hunter2|secret-name|PROPFIND/);
});

test('a probe is no request worth a span', async (t) => {
  const spans = registerTracing();
  const url = await door(t, (_request, response) => response.writeHead(200).end());
  await fetch(`${url}/healthz`);
  await fetch(`${url}/other`);
  await until(() => spans.named('GET'));
  assert.equal(spans.all().length, 1);
});
