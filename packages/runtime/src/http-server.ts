// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { watched } from './http-watch.ts';

const HEADERS_MS_MAX = 10_000;
const CHECK_MS = 5_000;
const HEADER_BYTES_MAX = 16_384;
const CONNECTIONS_MAX = 1_024;
const CLOSING_MS_MAX = 5_000;

/** Where a door listens; port 0 takes a free one. */
export interface Door {
  /** Whose door it is. */
  readonly service: string;
  readonly host: string;
  readonly port: number;
  /** The longest that one request may take to arrive, in milliseconds. */
  readonly requestMsMax: number;
  /** Where TLS ends here; absent: plain HTTP. */
  readonly tls?: Tls | undefined;
  /** The bare answer to what is no request, by the code of the fault; absent: Node's own. */
  readonly broken?: ((code: string) => string) | undefined;
}

/** What a door shows, and whom it asks for certificates: in PEM. */
export interface Tls {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca?: Buffer;
  readonly crl?: Buffer;
  /** Asked for and checked; who shows none, or a bad one, is for the listener to judge. */
  readonly requestCert?: boolean;
}

/** Listens until the scope ends, within limits on all that a caller can stretch; gives the port. */
export async function openHttpServer(
  door: Door,
  listener: RequestListener,
  scope: AsyncDisposableStack,
): Promise<number> {
  const server = serverOf(door, watched(door.service, listener));
  server.maxConnections = CONNECTIONS_MAX;
  if (door.broken !== undefined) server.on('clientError', answering(door.broken));
  const silent = silentOf(server, door.tls === undefined ? 'connection' : 'secureConnection');
  const open = openOf(server);
  server.listen(door.port, door.host);
  await once(server, 'listening');
  scope.defer(() => close(server, { silent, open }));
  return (server.address() as AddressInfo).port;
}

function serverOf({ requestMsMax, tls }: Door, listener: RequestListener): Server {
  const limits = {
    headersTimeout: HEADERS_MS_MAX,
    requestTimeout: requestMsMax,
    connectionsCheckingInterval: CHECK_MS,
    maxHeaderSize: HEADER_BYTES_MAX,
  };
  if (tls === undefined) return createServer(limits, listener);
  // No tickets: a session that is resumed would carry on a certificate that is revoked by now.
  const whole = { minVersion: 'TLSv1.2', secureOptions: constants.SSL_OP_NO_TICKET } as const;
  const asked = { ...tls, ...whole, rejectUnauthorized: false, handshakeTimeout: HEADERS_MS_MAX };
  return createTlsServer({ ...limits, ...asked }, listener);
}

function answering(broken: (code: string) => string) {
  return (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    socket.end(broken(error.code ?? ''), () => socket.destroy());
  };
}

/** Connections without a request so far: clients open some in advance, and Node calls none idle. */
function silentOf(server: Server, connected: 'connection' | 'secureConnection') {
  const silent = new Set<Socket>();
  server.on(connected, (socket: Socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  server.on('request', ({ socket }) => silent.delete(socket));
  return silent;
}

/** Every connection, also one that is still in its handshake. */
function openOf(server: Server): ReadonlySet<Socket> {
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  return open;
}

interface Sockets {
  readonly silent: ReadonlySet<Socket>;
  readonly open: ReadonlySet<Socket>;
}

async function close(server: Server, { silent, open }: Sockets): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  for (const socket of silent) socket.destroy();
  const timer = setTimeout(() => {
    for (const socket of open) socket.destroy();
  }, CLOSING_MS_MAX);
  await closed;
  clearTimeout(timer);
}
