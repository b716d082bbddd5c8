// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from './digest.ts';
import { literal } from './ephemeral.ts';
import { fieldSelector } from './events.ts';
import { QUOTE_CHARS_MAX, quote } from './fault.ts';
import { networkFault } from './network-fault.ts';
import { requestPath } from './path.ts';
import { RETRY_AFTER_MS_MAX, refusalFault } from './refusal.ts';

for (const [retryAfter, body, retryAfterMs] of [
  ['3', '', 3_000],
  ['-5', '', 0],
  ['999999999', '', RETRY_AFTER_MS_MAX],
  ['Thu, 01 Jan 1970 00:00:00 GMT', '', 0],
  ['soon', '{"details":{"retryAfterSeconds":4}}', 4_000],
  [undefined, 'busy', undefined],
] as const) {
  test(`Retry-After ${retryAfter} with ${body || 'no body'} asks for ${retryAfterMs} ms`, () => {
    const fault = refusalFault({ status: 429, retryAfter, body }, 'GET pods');
    assert.equal(fault.code, 'too-many-requests');
    assert.equal(fault.retryAfterMs, retryAfterMs);
  });
}

test('the text of a server is quoted on one line, bounded, without control characters', () => {
  const body = `\u001b[31mred\u202e\r\nSet-Cookie: x${'y'.repeat(10_000)}`;
  const { message } = refusalFault({ status: 418, body }, 'GET pods');
  assert.match(message, /^GET pods: 418 \[31mred Set-Cookie: xyyy/);
  assert.ok(message.length < QUOTE_CHARS_MAX + 120);
  assert.equal(quote('a\0b\n\tc'), 'a b c');
});

for (const [error, code] of [
  [{ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }, 'tls-untrusted'],
  [{ code: 'ERR_TLS_CERT_ALTNAME_INVALID' }, 'tls-untrusted'],
  [{ code: 'ETIMEDOUT' }, 'timeout'],
  [{ code: 'ECONNREFUSED' }, 'unreachable'],
  [{ code: 'ENOTFOUND' }, 'unreachable'],
] as const) {
  test(`a connection that fails with ${error.code} is ${code}`, () => {
    assert.equal(networkFault(Object.assign(new Error('x'), error), 'api.test').code, code);
  });
}

test('a path keeps the prefix of the server and encodes every segment', () => {
  const server = new URL('https://rancher.test/k8s/clusters/c-1/');
  const path = requestPath(server, ['api', 'a/b', 'ü %2e'], { q: 'a&b', command: ['x', 'y z'] });
  assert.equal(path, '/k8s/clusters/c-1/api/a%2Fb/%C3%BC%20%252e?q=a%26b&command=x&command=y+z');
});

for (const segment of ['', '.', '..', 'x'.repeat(254), '\ud800']) {
  test(`${JSON.stringify(segment.slice(0, 9))} is no path segment`, () => {
    const build = () => requestPath(new URL('https://x'), ['api', segment]);
    assert.throws(build, { code: 'invalid-request' });
  });
}

test('a digest does not depend on the order of keys but on where they end', () => {
  const pair = (key: string, value: string) => [Buffer.from(key), Buffer.from(value)] as const;
  const one = digestOf([pair('a', '1'), pair('b', '2')]);
  assert.equal(one, digestOf([pair('b', '2'), pair('a', '1')]));
  assert.notEqual(digestOf([pair('a', 'b1')]), digestOf([pair('ab', '1')]));
});

test('text for the kubelet and for field selectors is escaped', () => {
  assert.equal(literal('echo $$ $(X) $y'), 'echo $$$$ $$(X) $$y');
  assert.equal(fieldSelector({ a: 'x,y=z\\', b: '1' }), 'a=x\\,y\\=z\\\\,b=1');
});
