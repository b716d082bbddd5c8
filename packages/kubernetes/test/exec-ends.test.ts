// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { cluster, endWith, frame, type Play, readAll, SUCCESS, start } from './exec-cluster.ts';

const WITHOUT_STATUS: readonly (readonly [string, Play])[] = [
  ['a close frame 1000', (socket) => socket.close(1000)],
  ['a close frame 1011', (socket) => socket.close(1011, 'node is going down')],
  ['a dropped connection', (_socket, raw) => void raw.destroy()],
  ['an empty status', endWith('')],
  ['garbage as status', endWith('{"stat')],
  ['a status that is no object', endWith('7')],
  [
    'a failure whose exit code is 0',
    endWith(
      JSON.stringify({
        status: 'Failure',
        reason: 'NonZeroExitCode',
        details: { causes: [{ reason: 'ExitCode', message: '0' }] },
      }),
    ),
  ],
];

for (const [what, end] of WITHOUT_STATUS) {
  test(`${what} is no result: output is kept, the exit code rejects`, async (t) => {
    await using on = await cluster((socket, raw) => {
      socket.send(frame(1, 'half of the evid'), () => end(socket, raw));
    });
    await using run = await start(on, t.signal);
    assert.equal(await readAll(run), 'half of the evid');
    await assert.rejects(run.exitCode, { code: 'outcome-unknown' });
  });
}

const VIOLATIONS: readonly (readonly [string, Play])[] = [
  ['a text frame', (socket) => socket.send('1hello')],
  ['a frame larger than the limit', (socket) => socket.send(frame(1, Buffer.alloc(2_000_000)))],
  ['a frame that is no frame', (_socket, raw) => void raw.write(Buffer.alloc(64, 0xff))],
  [
    'an oversize frame after the status',
    (socket) => {
      socket.send(frame(3, SUCCESS));
      socket.send(frame(1, Buffer.alloc(2_000_000)));
    },
  ],
];

for (const [what, play] of VIOLATIONS) {
  test(`${what} ends the channel as a violation of the protocol`, async (t) => {
    await using on = await cluster(play);
    await using run = await start(on, t.signal);
    await assert.rejects(run.exitCode, { code: 'protocol-violation' });
    assert.equal(await readAll(run), '');
  });
}

test('unknown channels, the close channel and empty messages of a server are ignored', async (t) => {
  await using on = await cluster((socket) => {
    for (const channel of [0, 4, 5, 77, 255]) socket.send(frame(channel, '\u0001'));
    socket.send(Buffer.alloc(0));
    socket.send(frame(1, 'kept'));
    socket.send(frame(3, SUCCESS));
    socket.close(1000);
  });
  await using run = await start(on, t.signal);
  assert.equal(await readAll(run), 'kept');
  assert.equal(await run.exitCode, 0);
});

test('output that an older server sends behind the status is not lost', async (t) => {
  await using on = await cluster(async (socket) => {
    socket.send(frame(1, 'early '));
    socket.send(frame(3, SUCCESS));
    await sleep(30);
    socket.send(frame(1, 'late'));
    socket.send(frame(3, '{"status":"Failure","reason":"InternalError","message":"second"}'));
    socket.close(1000);
  });
  await using run = await start(on, t.signal);
  assert.equal(await readAll(run), 'early late');
  assert.equal(await run.exitCode, 0);
});

test('a status in two messages is put together', async (t) => {
  await using on = await cluster((socket) => {
    socket.send(frame(3, SUCCESS.slice(0, 9)));
    socket.send(frame(3, SUCCESS.slice(9)));
    socket.close(1000);
  });
  await using run = await start(on, t.signal);
  assert.equal(await run.exitCode, 0);
});

test('a server that gives the status and never closes does not keep the run open', async (t) => {
  await using on = await cluster((socket) => socket.send(frame(3, SUCCESS)));
  await using run = await start(on, t.signal);
  assert.equal(await run.exitCode, 0);
});

test('container not found on channel 3 after the upgrade has its own code', async (t) => {
  const message = 'Internal error occurred: container not found ("app")';
  const status = { status: 'Failure', reason: 'InternalError', message, code: 500 };
  await using on = await cluster((socket) => {
    socket.send(frame(3, JSON.stringify(status)));
    socket.close(1000);
  });
  await using run = await start(on, t.signal);
  await assert.rejects(run.exitCode, { code: 'container-not-found' });
});

test('stderr is drained always and only its last 8 KiB are kept', async (t) => {
  await using on = await cluster((socket) => {
    for (let line = 0; line < 600; line += 1) socket.send(frame(2, `${line}`.padStart(1024, '.')));
    socket.send(frame(3, SUCCESS));
    socket.close(1000);
  });
  await using run = await start(on, t.signal);
  assert.equal(await run.exitCode, 0);
  assert.equal(Buffer.byteLength(run.stderrTail()), 8_192);
  assert.ok(run.stderrTail().endsWith('..599'));
});

test('leaving the loop early keeps the rest for the next loop', async (t) => {
  await using on = await cluster(async (socket) => {
    socket.send(frame(1, 'header\n'));
    await sleep(20);
    socket.send(frame(1, 'body'));
    socket.send(frame(3, SUCCESS));
    socket.close(1000);
  });
  await using run = await start(on, t.signal);
  for await (const chunk of run.stdout) {
    assert.equal(chunk.toString('utf8'), 'header\n');
    break;
  }
  assert.equal(await readAll(run), 'body');
});
