// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type Door, openHttpServer } from '../src/http-server.ts';
import { wait } from '../src/wait.ts';

const CONNECTIONS_MAX = 1_024;
const LIMIT = { timeout: 120_000 };
const HEAD = 'POST / HTTP/1.1\r\nhost: door\r\n';
const WHOLE = `${HEAD}content-length: 0\r\n\r\n`;

async function door(t: TestContext, listener: RequestListener, more: Partial<Door> = {}) {
  const scope = new AsyncDisposableStack();
  const at = { service: 'gateway', host: '127.0.0.1', port: 0, requestMsMax: 60_000, ...more };
  const { port } = await openHttpServer(at, listener, scope);
  const sockets: Socket[] = [];
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    await scope.disposeAsync();
  });
  return async (text = '') => {
    const socket = connect({ host: '127.0.0.1', port });
    sockets.push(socket);
    socket.on('error', () => undefined);
    await once(socket, 'connect', { signal: t.signal });
    if (text !== '') socket.write(text);
    return socket;
  };
}

async function answered(socket: Socket, signal: AbortSignal): Promise<string> {
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  await once(socket, 'close', { signal });
  return text;
}

test('who comes to a full door is told so, and its connection ends', LIMIT, async (t) => {
  const held = Promise.withResolvers<void>();
  let begun = 0;
  const all = Promise.withResolvers<void>();
  let came = 0;
  const listener: RequestListener = async (_request, response) => {
    begun += 1;
    if (begun === CONNECTIONS_MAX) all.resolve();
    await held.promise;
    response.writeHead(204, { connection: 'close' }).end();
  };
  const taken = () => {
    came += 1;
  };
  const open = await door(t, listener, { came: taken });
  const first = await Promise.all(Array.from({ length: CONNECTIONS_MAX }, () => open(WHOLE)));
  await all.promise;
  const told = await answered(await open(WHOLE), t.signal);
  assert.match(told, /^HTTP\/1.1 503 /);
  assert.match(told, /retry-after: 2\r\n/i);
  const sending = await open(`${HEAD}content-length: 3\r\n\r\n12`);
  const late = answered(sending, t.signal);
  sending.write('3');
  assert.match(await late, /^HTTP\/1.1 503 /, 'also where the body comes piece by piece');
  assert.equal(begun, CONNECTIONS_MAX, 'the listener saw none of them');
  assert.equal(came, CONNECTIONS_MAX + 2);
  held.resolve();
  await Promise.all(first.map((socket) => answered(socket, t.signal)));
  assert.match(await answered(await open(WHOLE), t.signal), /^HTTP\/1.1 204 /);
});

test('connections that send nothing make room at a full door', LIMIT, async (t) => {
  const listener: RequestListener = (_request, response) =>
    response.writeHead(204, { connection: 'close' }).end();
  const open = await door(t, listener);
  const silent = await Promise.all(Array.from({ length: CONNECTIONS_MAX }, () => open()));
  const gone = once(silent[0] as Socket, 'close', { signal: t.signal });
  let answer = '';
  while (!answer.startsWith('HTTP/1.1 204 ')) {
    answer = await answered(await open(WHOLE), t.signal);
    assert.match(answer, /^HTTP\/1.1 (204|503) /);
    await wait(50, t.signal);
  }
  await gone;
});
