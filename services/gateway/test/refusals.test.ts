// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { house, LIMIT, ORDER, problemOf, TOKEN } from './gateway-in-a-house.ts';

test('only who is known comes in, and tokens are never told', LIMIT, async (t) => {
  const { url, ask, lines } = await house(t);
  assert.equal((await fetch(new URL('/healthz', url))).status, 200);
  for (const authorization of ['', 'Bearer ', 'Bearer wrong', `Basic ${TOKEN.siem}`, TOKEN.siem]) {
    const headers: Record<string, string> = authorization === '' ? {} : { authorization };
    const answer = await fetch(new URL('/v1/acquisitions', url), { headers });
    assert.equal(answer.headers.get('www-authenticate'), 'Bearer realm="impound"');
    await problemOf(answer, 401, 'token-refused');
  }
  await problemOf(await fetch(new URL('/v1/nothing', url)), 401, 'token-refused');
  await problemOf(await ask('/v1/nothing'), 404, 'not-found');
  await problemOf(await ask('/elsewhere'), 404, 'not-found');
  assert.ok(!lines.join().includes('token-of'));
});

const UNKNOWN = '/v1/acquisitions/0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01';
const GETS = [
  [UNKNOWN, {}, 404, 'not-found'],
  ['/v1/acquisitions/not-an-id', {}, 404, 'not-found'],
  ['/v1/acquisitions/..%2f..%2fetc%2fpasswd', {}, 404, 'not-found'],
  [`${UNKNOWN}/evidence/..%2f..%2f/passwd?purpose=x`, {}, 404, 'not-found'],
  [`${UNKNOWN}/evidence/e1/manifest.jsonl`, {}, 400, 'query-refused'],
  [`${UNKNOWN}/events`, { headers: { 'last-event-id': 'x' } }, 400, 'query-refused'],
  [`${UNKNOWN}/events`, { method: 'HEAD' }, 405, undefined],
  [`${UNKNOWN}/events`, { headers: { accept: 'application/json' } }, 406, 'format-refused'],
  ['/v1/acquisitions', { headers: { accept: 'text/html' } }, 406, 'format-refused'],
  ['/v1/acquisitions', { method: 'DELETE' }, 405, 'method-refused'],
  [`${UNKNOWN}/cancel`, {}, 405, 'method-refused'],
  ['/v1/acquisitions?limit=0', {}, 400, 'query-refused'],
  ['/v1/acquisitions?limit=1e9', {}, 400, 'query-refused'],
  ['/v1/acquisitions?before=-1', {}, 400, 'query-refused'],
  ['/v1/acquisitions?case=../x', {}, 400, 'query-refused'],
  ['/v1/acquisitions?surprise=1', {}, 400, 'query-refused'],
  ['/v1/clusters?limit=501', {}, 400, 'query-refused'],
  ['/v1/clusters?selector=a', {}, 400, 'query-refused'],
  ['/v1/clusters', {}, 503, 'unavailable'],
] as const;

test('requests that are wrong are refused by name', LIMIT, async (t) => {
  const { ask } = await house(t);
  for (const [path, init, status, code] of GETS) {
    const answer = await ask(path, init as RequestInit);
    if (code === undefined) assert.equal(answer.status, status);
    else await problemOf(answer, status, code);
    if (status === 405) assert.ok(answer.headers.get('allow'));
  }
});

const JSON_TYPE = { 'content-type': 'application/json' };
const deep = `{"target":${'['.repeat(30_000)}${']'.repeat(30_000)}}`;
const BODIES = [
  ['', JSON_TYPE, 400, 'json-refused'],
  ['{"target":', JSON_TYPE, 400, 'json-refused'],
  [deep, JSON_TYPE, 400, 'json-refused'],
  ['{"caseId":"a","caseId":"b"}', JSON_TYPE, 400, 'json-refused'],
  [new Uint8Array([0x22, 0xff, 0x22]), JSON_TYPE, 400, 'json-refused'],
  [JSON.stringify(ORDER), { 'content-type': 'text/plain' }, 415, 'media-refused'],
  [JSON.stringify(ORDER), { ...JSON_TYPE, 'content-encoding': 'gzip' }, 415, 'media-refused'],
  [JSON.stringify({ ...ORDER, reason: 'x'.repeat(70_000) }), JSON_TYPE, 413, 'too-large'],
  [JSON.stringify({ ...ORDER, surprise: true }), JSON_TYPE, 422, 'order-refused'],
  ['{"__proto__":{"admin":true}}', JSON_TYPE, 422, 'order-refused'],
  [
    JSON.stringify({ ...ORDER, paths: Array(15).fill(`/${'a'.repeat(4_000)}`) }),
    JSON_TYPE,
    422,
    'refused',
  ],
] as const;

test('bodies that are wrong are refused by name, and nothing is recorded', LIMIT, async (t) => {
  const { ask, post } = await house(t);
  const query = await post('/v1/acquisitions?dry-run', ORDER);
  assert.match((await problemOf(query, 400, 'query-refused')).detail, /dry-run/);
  for (const [body, headers, status, code] of BODIES) {
    const init = { method: 'POST', body, headers } as RequestInit;
    const problem = await problemOf(await ask('/v1/acquisitions', init), status, code);
    if (code === 'order-refused') assert.ok((problem.errors?.length ?? 0) > 0);
  }
  const { acquisitions } = (await (await ask('/v1/acquisitions')).json()) as { acquisitions: [] };
  assert.deepEqual(acquisitions, []);
});

/** Speaks HTTP by hand, to send what no client would. */
async function spoken(url: string, text: string, signal: AbortSignal): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on('error', () => undefined);
  await once(socket, 'connect', { signal });
  socket.write(text);
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  const closed = once(socket, 'close', { signal });
  await Promise.race([once(socket, 'data', { signal }), closed]);
  socket.destroy();
  return answer;
}

test('a body that grows beyond its limit or never ends is refused, not kept', LIMIT, async (t) => {
  const { url } = await house(t);
  const head = [
    'POST /v1/acquisitions HTTP/1.1',
    'Host: gateway',
    `Authorization: Bearer ${TOKEN.siem}`,
    'Content-Type: application/json',
  ].join('\r\n');
  const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
  const chunked = `${head}\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(8)}`;
  assert.match(await spoken(url, chunked, t.signal), /^HTTP\/1.1 413 /);
  const announced = `${head}\r\nContent-Length: 99999999\r\n\r\n`;
  assert.match(await spoken(url, announced, t.signal), /^HTTP\/1.1 413 /);
  const slow = `${head}\r\nContent-Length: 100\r\n\r\n{`;
  const answer = await spoken(url, slow, t.signal);
  assert.match(answer, /^HTTP\/1.1 408 /);
  assert.match(answer, /urn:impound:problem:too-slow/);
  const nonsense = 'GET http://[ HTTP/1.1\r\nHost: a b\r\n\r\n';
  assert.match(await spoken(url, nonsense, t.signal), /^HTTP\/1.1 400 /);
});
