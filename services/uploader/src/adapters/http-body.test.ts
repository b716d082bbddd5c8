// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { Refusal } from '../domain/problem.ts';
import { bodyOf } from './http-body.ts';

const LIMITS = { bytesMax: 10, idleMs: 20 };

async function lengthOf(stream: PassThrough): Promise<number> {
  let bytes = 0;
  for await (const chunk of bodyOf(stream as unknown as IncomingMessage, LIMITS)) {
    bytes += chunk.length;
  }
  return bytes;
}

test('a body is read to its end', async () => {
  const stream = new PassThrough();
  stream.end('0123456789');
  assert.equal(await lengthOf(stream), 10);
});

const CASES: readonly [string, (stream: PassThrough) => unknown, string][] = [
  ['that is longer than allowed', (stream) => stream.end('0123456789a'), 'too-large'],
  ['that stops coming', (stream) => stream.write('0'), 'too-slow'],
  ['that breaks off', (stream) => stream.destroy(new Error('aborted')), 'body-refused'],
];

for (const [name, feed, code] of CASES) {
  test(`a body ${name} is refused as ${code}`, async () => {
    const stream = new PassThrough();
    const reading = lengthOf(stream);
    feed(stream);
    await assert.rejects(reading, (error) => error instanceof Refusal && error.code === code);
    // Whoever refuses must still be able to answer on this connection.
    if (code !== 'body-refused') assert.equal(stream.destroyed, false);
    stream.destroy();
  });
}
