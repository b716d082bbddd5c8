// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pulledOutput } from './output.ts';

function recordedFlow() {
  const calls: string[] = [];
  return { calls, pause: () => calls.push('pause'), resume: () => calls.push('resume') };
}

const BLOCK_BYTES = 131_072;

test('the source is paused once at the limit and resumed at half of it', async () => {
  const flow = recordedFlow();
  const output = pulledOutput(flow, 2 * BLOCK_BYTES);
  for (let at = 0; at < 4; at += 1) output.push(Buffer.alloc(BLOCK_BYTES / 2));
  output.push(Buffer.alloc(1_000));
  assert.deepEqual(flow.calls, ['pause']);
  assert.equal(output.paused(), true);
  const reader = output.chunks[Symbol.asyncIterator]();
  await reader.next();
  assert.deepEqual(flow.calls, ['pause']);
  await reader.next();
  assert.deepEqual(flow.calls, ['pause', 'resume']);
});

test('a flood of one-byte chunks is read in few large ones', async () => {
  const output = pulledOutput(recordedFlow(), 2 * BLOCK_BYTES);
  for (let at = 0; at < BLOCK_BYTES + 10; at += 1) output.push(Buffer.of(at & 255));
  output.end();
  const chunks = await Array.fromAsync(output.chunks);
  assert.deepEqual(
    chunks.map(({ length }) => length),
    [BLOCK_BYTES, 10],
  );
  assert.ok(Buffer.concat(chunks).every((byte, at) => byte === (at & 255)));
});

test('what is pushed may be overwritten at once', async () => {
  const output = pulledOutput(recordedFlow(), BLOCK_BYTES);
  const bytes = Buffer.from('kept');
  output.push(bytes);
  bytes.fill('x');
  output.end();
  assert.equal(Buffer.concat(await Array.fromAsync(output.chunks)).toString(), 'kept');
});

test('a reader that waits is served, and ends when the output does', async () => {
  const output = pulledOutput(recordedFlow(), 1_024);
  const reader = output.chunks[Symbol.asyncIterator]();
  const first = reader.next();
  output.push(Buffer.from('a'));
  output.push(Buffer.from('b'));
  assert.equal(String((await first).value), 'ab');
  const second = reader.next();
  output.push(Buffer.from('c'));
  output.end();
  assert.equal(String((await second).value), 'c');
  assert.equal((await reader.next()).done, true);
  assert.deepEqual(await Array.fromAsync(output.chunks), []);
});

test('a chunk that was given back is filled again, one that was not stays as it is', async () => {
  const output = pulledOutput(recordedFlow(), BLOCK_BYTES);
  const reader = output.chunks[Symbol.asyncIterator]();
  const pull = async (text: string): Promise<Buffer> => {
    output.push(Buffer.from(text));
    return (await reader.next()).value;
  };
  const kept = await pull('kept');
  const lent = await pull('lent');
  output.recycle(lent);
  const third = await pull('more');
  assert.equal(third.buffer, lent.buffer);
  assert.equal(String(kept), 'kept');
  assert.notEqual((await pull('last')).buffer, third.buffer);
});

test('two readers share the bytes, none is given twice', async () => {
  const output = pulledOutput(recordedFlow(), 65_536);
  const readers = [Array.fromAsync(output.chunks), Array.fromAsync(output.chunks)];
  for (let at = 0; at < 10; at += 1) {
    output.push(Buffer.from([at]));
    await new Promise(setImmediate);
  }
  output.end();
  const seen = (await Promise.all(readers)).flat().flatMap((chunk) => [...chunk]);
  assert.deepEqual(
    seen.toSorted((a = 0, b = 0) => a - b),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
});
