// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import { cluster, frame, readAll, SUCCESS, start, V4, V5 } from './exec-cluster.ts';

const STREAM_BYTES = 200 * 1_048_576;
const STREAM_FRAME = Buffer.concat([Buffer.from([1]), Buffer.alloc(32_768, 'evidence')]);

test('a reader that stalls stops a stream of 200 MB, and nothing of it is lost', async (t) => {
  let sent = 0;
  await using on = await cluster(async (socket) => {
    while (sent < STREAM_BYTES && socket.readyState === socket.OPEN) {
      await new Promise((resolve) => socket.send(STREAM_FRAME, resolve));
      sent += STREAM_FRAME.byteLength - 1;
    }
    socket.send(frame(3, SUCCESS));
    socket.close(1000);
  });
  await using run = await start(on, t.signal);
  const before = process.memoryUsage().rss;
  for (let stalled = -1; sent === 0 || sent !== stalled; await sleep(200)) stalled = sent;
  assert.ok(sent < 24 * 1_048_576, `${sent} bytes were taken without a reader`);
  assert.ok(process.memoryUsage().rss - before < 64 * 1_048_576, 'the stream went into memory');
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of run.stdout) {
    hash.update(chunk);
    bytes += chunk.byteLength;
  }
  assert.equal(await run.exitCode, 0);
  assert.equal(bytes, STREAM_BYTES);
  const expected = createHash('sha256').update(Buffer.alloc(STREAM_BYTES, 'evidence'));
  assert.equal(hash.digest('hex'), expected.digest('hex'));
});

interface Received {
  readonly sizes: number[];
  readonly bytes: () => Buffer;
}

function collectStdin(socket: WebSocket, until: number): Promise<Received> {
  const parts: Buffer[] = [];
  const sizes: number[] = [];
  let bytes = 0;
  const { promise, resolve } = Promise.withResolvers<Received>();
  socket.on('message', (data: Buffer) => {
    assert.equal(data[0], 0);
    parts.push(data.subarray(1));
    sizes.push(data.byteLength);
    bytes += data.byteLength - 1;
    const done = { sizes, bytes: () => Buffer.concat(parts) };
    if (bytes >= until) resolve(done);
  });
  return promise;
}

test('stdin of 33 MiB travels in messages of at most 32 KiB, in order, whole', async (t) => {
  const input = Buffer.alloc(33 * 1_048_576);
  for (let at = 0; at < input.byteLength; at += 4_096) input.writeUInt32BE(at, at);
  let received: Promise<Received> | undefined;
  await using on = await cluster((socket) => {
    received = collectStdin(socket, input.byteLength);
  });
  await using run = await start(on, t.signal);
  const half = input.byteLength / 2;
  await Promise.all([
    run.stdin.write(input.subarray(0, half)),
    run.stdin.write(input.subarray(half)),
  ]);
  const { sizes, bytes } = (await received) as Received;
  assert.equal(Math.max(...sizes), 32_769);
  assert.ok(bytes().equals(input));
});

test('a write waits while the container does not read', async (t) => {
  await using on = await cluster((socket) => socket.pause());
  await using run = await start(on, t.signal);
  const big = Buffer.alloc(64 * 1_048_576);
  const first = await Promise.race([
    run.stdin.write(big).catch(() => 'failed'),
    sleep(300, 'slow'),
  ]);
  assert.equal(first, 'slow');
});

for (const [protocol, sent] of [
  [V5, ['0061', 'ff00']],
  [V4, ['0061']],
] as const) {
  test(`${protocol}: ending stdin twice sends ${sent.length - 1} half-close`, async (t) => {
    const messages: string[] = [];
    let done = false;
    let pings = 0;
    await using on = await cluster((socket) => {
      socket.on('message', (data: Buffer) => messages.push(data.toString('hex')));
      // The first one may have been on its way before what was sent last.
      socket.on('ping', () => {
        if (done) pings += 1;
        if (pings === 2) socket.close(1000);
      });
    }, protocol);
    await using run = await start(on, t.signal, { pingMs: 50 });
    await run.stdin.write(Buffer.from('a'));
    await run.stdin.end();
    await run.stdin.end();
    await assert.rejects(run.stdin.write(Buffer.from('b')), { code: 'stdin-closed' });
    done = true;
    await assert.rejects(run.exitCode, { code: 'outcome-unknown' });
    assert.deepEqual(messages, sent);
  });
}

test('a write after the command has ended says that stdin is closed, end does nothing', async (t) => {
  await using on = await cluster((socket) => {
    socket.send(frame(3, SUCCESS));
    socket.close(1000);
  });
  await using run = await start(on, t.signal);
  await run.exitCode;
  await assert.rejects(run.stdin.write(Buffer.from('x')), { code: 'stdin-closed' });
  await run.stdin.end();
});

/** So many last longer than the idle deadline. */
const PINGS = 50;

test('a silent command is pinged, and the pongs keep it alive', async (t) => {
  let pings = 0;
  await using on = await cluster((socket) => {
    socket.on('ping', () => {
      pings += 1;
      if (pings === PINGS) socket.send(frame(3, SUCCESS), () => socket.close(1000));
    });
  });
  await using run = await start(on, t.signal, { pingMs: 20, idleMsMax: 20 * (PINGS - 20) });
  assert.equal(await run.exitCode, 0);
  assert.ok(pings >= PINGS);
});

test('a process that stood still longer than the idle deadline keeps its connection', async (t) => {
  await using on = await cluster((socket) => {
    socket.once('message', () => {
      for (const until = performance.now() + 500; performance.now() < until; );
      socket.send(frame(3, SUCCESS), () => socket.close(1000));
    });
  });
  await using run = await start(on, t.signal, { pingMs: 20, idleMsMax: 100 });
  await run.stdin.write(Buffer.from('stand still'));
  assert.equal(await run.exitCode, 0);
});

test('a peer that answers no ping is given up after the idle deadline', async (t) => {
  await using on = await cluster((_socket, raw) => void setTimeout(() => raw.pause(), 30));
  await using run = await start(on, t.signal, { pingMs: 20, idleMsMax: 100 });
  await assert.rejects(run.exitCode, { code: 'outcome-unknown', message: /silent for 100 ms/ });
});

test('a reader that stalls longer than the idle deadline does not lose its connection', async (t) => {
  await using on = await cluster((socket) => {
    for (let at = 0; at < 64; at += 1) socket.send(STREAM_FRAME);
    socket.send(frame(3, SUCCESS));
    socket.close(1000);
  });
  await using run = await start(on, t.signal, { pingMs: 20, idleMsMax: 60 });
  await sleep(300);
  assert.equal((await readAll(run)).length, 64 * 32_768);
  assert.equal(await run.exitCode, 0);
});

test('an aborted caller ends output and exit code at once', async () => {
  const caller = new AbortController();
  await using on = await cluster((socket) => socket.send(frame(1, 'so far')));
  await using run = await start(on, caller.signal);
  const reason = new Error('cancelled by the coordinator');
  const read: string[] = [];
  for await (const chunk of run.stdout) {
    read.push(chunk.toString());
    caller.abort(reason);
  }
  assert.deepEqual(read, ['so far']);
  await assert.rejects(run.exitCode, { code: 'aborted', cause: reason });
});

test('disposing a run drops its connection, also while it is paused', async (t) => {
  const { promise: gone, resolve } = Promise.withResolvers<number>();
  await using on = await cluster((socket) => {
    socket.once('close', resolve);
    for (let at = 0; at < 64; at += 1) socket.send(STREAM_FRAME);
  });
  const run = await start(on, t.signal);
  await sleep(50);
  await run[Symbol.asyncDispose]();
  await run[Symbol.asyncDispose]();
  await assert.rejects(run.exitCode, { code: 'outcome-unknown' });
  assert.equal(await gone, 1006);
});
