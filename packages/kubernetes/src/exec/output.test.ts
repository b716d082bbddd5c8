// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pulledOutput } from './output.ts';

function recordedFlow() {
  const calls: string[] = [];
  return { calls, pause: () => calls.push('pause'), resume: () => calls.push('resume') };
}

test('the source is paused once at the limit and resumed at half of it', async () => {
  const flow = recordedFlow();
  const output = pulledOutput(flow, 4_096);
  for (let at = 0; at < 4; at += 1) output.push(Buffer.alloc(1_000));
  output.push(Buffer.alloc(1_000));
  assert.deepEqual(flow.calls, ['pause']);
  assert.equal(output.paused(), true);
  const reader = output.chunks[Symbol.asyncIterator]();
  for (let at = 0; at < 3; at += 1) await reader.next();
  assert.deepEqual(flow.calls, ['pause']);
  await reader.next();
  assert.deepEqual(flow.calls, ['pause', 'resume']);
});

test('a flood of one-byte chunks is bounded by what a chunk costs', () => {
  const flow = recordedFlow();
  const output = pulledOutput(flow, 65_536);
  let pushed = 0;
  for (; !output.paused() && pushed < 1_000; pushed += 1) output.push(Buffer.alloc(1));
  assert.equal(pushed, 256);
});

test('a reader that waits is served at once, and ends when the output does', async () => {
  const output = pulledOutput(recordedFlow(), 1_024);
  const read = Array.fromAsync(output.chunks, (chunk) => chunk.toString('utf8'));
  output.push(Buffer.from('a'));
  await Promise.resolve();
  output.push(Buffer.from('b'));
  output.end();
  assert.deepEqual(await read, ['a', 'b']);
  assert.deepEqual(await Array.fromAsync(output.chunks), []);
});

test('two readers share the chunks, none is given twice', async () => {
  const output = pulledOutput(recordedFlow(), 65_536);
  const readers = [Array.fromAsync(output.chunks), Array.fromAsync(output.chunks)];
  for (let at = 0; at < 10; at += 1) output.push(Buffer.from([at]));
  output.end();
  const seen = (await Promise.all(readers)).flat().map((chunk) => chunk[0]);
  assert.deepEqual(
    seen.toSorted((a = 0, b = 0) => a - b),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
});
