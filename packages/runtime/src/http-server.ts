// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

const HEADERS_MS_MAX = 10_000;
const CHECK_MS = 5_000;
const HEADER_BYTES_MAX = 16_384;
const CONNECTIONS_MAX = 1_024;
const CLOSING_MS_MAX = 5_000;

/** Where a door listens; port 0 takes a free one. */
export interface Door {
  readonly host: string;
  readonly port: number;
  /** The longest that one request may take to arrive, in milliseconds. */
  readonly requestMsMax: number;
}

/** Listens until the scope ends, within limits on all that a caller can stretch; gives the port. */
export async function openHttpServer(
  door: Door,
  listener: RequestListener,
  scope: AsyncDisposableStack,
): Promise<number> {
  const server = createServer(
    {
      headersTimeout: HEADERS_MS_MAX,
      requestTimeout: door.requestMsMax,
      connectionsCheckingInterval: CHECK_MS,
      maxHeaderSize: HEADER_BYTES_MAX,
    },
    listener,
  );
  server.maxConnections = CONNECTIONS_MAX;
  const silent = silentOf(server);
  server.listen(door.port, door.host);
  await once(server, 'listening');
  scope.defer(() => close(server, silent));
  return (server.address() as AddressInfo).port;
}

/** Connections without a request so far: clients open some in advance, and Node calls none idle. */
function silentOf(server: Server): ReadonlySet<Socket> {
  const silent = new Set<Socket>();
  server.on('connection', (socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  server.on('request', ({ socket }) => silent.delete(socket));
  return silent;
}

async function close(server: Server, silent: ReadonlySet<Socket>): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  for (const socket of silent) socket.destroy();
  const timer = setTimeout(() => server.closeAllConnections(), CLOSING_MS_MAX);
  await closed;
  clearTimeout(timer);
}
