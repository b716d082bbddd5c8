// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export const HOST = '127.0.0.1';
const PORT_WAIT_MS_MAX = 10_000;
const RETRY_MS = 100;

/** A loopback port nobody listens on at this moment; somebody may take it before its user does. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no loopback port is free');
  return address.port;
}

/** The first line a server sends to whoever connects, without its line end. */
export async function greeting(port: number, signal: AbortSignal): Promise<string> {
  const socket = connect({ port, host: HOST, signal });
  let text = '';
  try {
    for await (const bytes of socket) {
      text += String(bytes);
      const end = text.indexOf('\r\n');
      if (end >= 0) return text.slice(0, end);
    }
  } finally {
    socket.destroy();
  }
  throw new Error(`port ${port} closed before it sent a line`);
}

/**
 * Repeats `start` while it fails for a reason that passes by itself: a port or a lock that the one
 * before still holds. Gives up after PORT_WAIT_MS_MAX with the last error.
 */
export async function retryWhile<T>(
  passing: (error: unknown) => boolean | Promise<boolean>,
  start: () => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const until = performance.now() + PORT_WAIT_MS_MAX;
  for (;;) {
    try {
      return await start();
    } catch (error) {
      if (performance.now() > until || !(await passing(error))) throw error;
      await sleep(RETRY_MS, undefined, { signal });
    }
  }
}
