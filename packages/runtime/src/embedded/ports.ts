// SPDX-License-Identifier: Apache-2.0
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export const HOST = '127.0.0.1';
const PORT_WAIT_MS_MAX = 10_000;
const RETRY_MS = 100;

/** Below are ports of well-known services and of what people run beside us. */
const PORT_MIN = 20_000;
/** Where the ports begin that Linux gives to whoever connects or binds to 0, unless it says. */
const EPHEMERAL_MIN = 32_768;
const TRIES_MAX = 1_000;

const given = new Set<number>();

/**
 * A loopback port for somebody who has to know it before binding it. It is none that the system
 * gives out by itself, as it does for every connection: one of those would soon be somebody's. No
 * process gets the same one twice.
 */
export async function freePort(): Promise<number> {
  const below = await ephemeralMin();
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const port = below > PORT_MIN ? randomInt(PORT_MIN, below) : 0;
    const bound = given.has(port) ? undefined : await bindOnce(port);
    if (bound === undefined) continue;
    given.add(bound);
    return bound;
  }
  throw new Error('no loopback port is free');
}

/** https://docs.kernel.org/networking/ip-sysctl.html: ip_local_port_range */
async function ephemeralMin(): Promise<number> {
  const range = await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').catch(() => '');
  return Number.parseInt(range, 10) || EPHEMERAL_MIN;
}

/** The port, where it could be bound and was let go again; undefined where somebody has it. */
async function bindOnce(port: number): Promise<number | undefined> {
  const server = createServer();
  try {
    await once(server.listen(port, HOST), 'listening');
  } catch {
    return undefined;
  }
  const { port: bound } = server.address() as AddressInfo;
  await once(server.close(), 'close');
  return bound;
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
