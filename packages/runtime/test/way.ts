// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** A way to a port, which can break as networks do. */
export interface Way {
  readonly port: number;
  /** Ends all connections, in one of the two ways that TCP has. */
  resets(): void;
  ends(): void;
  /** Keeps whatever comes, in both directions and on new connections, until it speaks again. */
  silences(): void;
  speaks(): void;
  /** Ends every connection whose client says this. */
  cuts(words: string): void;
  /** Resolves when the next connection has come. */
  came(): Promise<unknown>;
  /** How many connections are open. */
  open(): number;
}

/** Opens one to a port of this machine. */
export async function openWay(t: TestContext, port: number): Promise<Way> {
  const sockets = new Set<Socket>();
  let isSilent = false;
  let cut: string | undefined;
  const server = createServer((outside) => {
    const inside = connect({ port, host: '127.0.0.1' });
    for (const [from, to] of [
      [outside, inside],
      [inside, outside],
    ] as const) {
      sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => sockets.delete(from) && to.destroy());
      from.pipe(to);
      if (isSilent) from.pause();
    }
    outside.prependListener('data', (bytes: Buffer) => {
      if (cut !== undefined && bytes.includes(cut)) outside.resetAndDestroy();
    });
    if (isSilent) outside.pause();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const each = (end: (socket: Socket) => void) => () => void [...sockets].map(end);
  const turn = (silent: boolean) => () => {
    isSilent = silent;
    each((socket) => (silent ? socket.pause() : socket.resume()))();
  };
  return {
    port: (server.address() as AddressInfo).port,
    resets: each((socket) => socket.resetAndDestroy()),
    ends: each((socket) => socket.destroy()),
    silences: turn(true),
    speaks: turn(false),
    cuts: (words) => {
      cut = words;
    },
    came: () => once(server, 'connection'),
    open: () => sockets.size,
  };
}
