// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { divert } from './diversion.ts';

const LIMIT = 100_000;

/** One frame as a server sends it. */
function frame(first: number, payload: Buffer, masked = false): Buffer {
  const { length } = payload;
  const short = length < 126 ? [length] : [126, length >> 8, length & 255];
  const long = [127, 0, 0, 0, 0, ...Buffer.from(Uint32Array.of(length).buffer).toReversed()];
  const size = length > 0xffff ? long : short;
  const [lead = 0, ...rest] = size;
  return Buffer.concat([Buffer.from([first, lead | (masked ? 128 : 0), ...rest]), payload]);
}

const on = (channel: number, text: string | Buffer) =>
  Buffer.concat([Buffer.from([channel]), Buffer.from(text)]);
const stdout = (text: string | Buffer) => frame(0x82, on(1, text));

/** Sends bytes in pieces of a size through a diversion; gives what went where. */
function diverted(bytes: Buffer, size = bytes.length) {
  const socket = new PassThrough();
  const [taken, passed]: [Buffer[], Buffer[]] = [[], []];
  socket.on('data', (chunk: Buffer) => passed.push(chunk));
  divert(socket, {
    stdout: (piece) => taken.push(Buffer.from(piece)),
    frameBytesMax: LIMIT,
  });
  for (let at = 0; at < bytes.length; at += size) {
    socket.emit('data', Buffer.from(bytes.subarray(at, at + size)));
  }
  return { stdout: Buffer.concat(taken).toString(), passed: Buffer.concat(passed) };
}

const ready = frame(0x82, on(1, ''));
const errors = frame(0x82, on(2, 'no such file'));
const status = frame(0x82, on(3, '{"status":"Success"}'));
const ping = frame(0x89, Buffer.from('ping'));
const close = frame(0x88, Buffer.from([3, 232]));
const sizes = ['a', 'b'.repeat(125), 'c'.repeat(200), 'd'.repeat(70_000)];
const stream = [ready, ...sizes.flatMap((text) => [stdout(text), errors, ping]), status, close];

for (const size of [1, 2, 3, 5, 7, 126, 4_096, 1_000_000]) {
  test(`stdout is taken out and the rest passed on, in chunks of ${size} bytes`, () => {
    const seen = diverted(Buffer.concat(stream), size);
    assert.equal(seen.stdout, sizes.join(''));
    const rest = stream.filter((_, at) => at % 3 !== 1 || at > sizes.length * 3);
    assert.ok(seen.passed.equals(Buffer.concat(rest)), 'the client misses something');
  });
}

for (const [what, bytes] of [
  ['a masked frame', [frame(0x82, on(1, 'x'), true), stdout('y')]],
  ['a message in fragments', [frame(0x02, on(1, 'x')), frame(0x00, on(1, 'y')), stdout('y')]],
  ['text', [frame(0x81, on(1, 'x'))]],
  ['a frame of an extension', [frame(0xc2, on(1, 'x'))]],
  ['a frame above the limit', [frame(0x82, on(1, Buffer.alloc(LIMIT)))]],
  ['a length beyond all numbers', [Buffer.from([0x82, 127, 255, ...Array(9).fill(1)]), ping]],
] as const) {
  test(`${what} is left to the client, with all that depends on it`, () => {
    const all = Buffer.concat(bytes);
    const seen = diverted(all, 3);
    assert.equal(seen.stdout, '');
    assert.ok(seen.passed.equals(all));
  });
}

test('a message in fragments over, stdout is taken out again', () => {
  const parts = [frame(0x02, on(1, 'x')), ping, frame(0x80, Buffer.from('y'))];
  const seen = diverted(Buffer.concat([...parts, stdout('z')]));
  assert.equal(seen.stdout, 'z');
  assert.ok(seen.passed.equals(Buffer.concat(parts)));
});

test('what a paused socket held when it closed is still sorted', async () => {
  const socket = new PassThrough();
  const passed: Buffer[] = [];
  let text = '';
  socket.on('data', (chunk: Buffer) => passed.push(chunk));
  const take = (piece: Buffer) => {
    text += piece;
  };
  divert(socket, { stdout: take, frameBytesMax: LIMIT });
  socket.pause();
  socket.write(Buffer.concat([stdout('late'), status]));
  socket.destroy();
  const closed = Promise.withResolvers<void>();
  socket.once('close', closed.resolve);
  await closed.promise;
  assert.equal(text, 'late');
  assert.ok(Buffer.concat(passed).equals(status));
});
