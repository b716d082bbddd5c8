// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
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

/** A door that listens. */
export interface HttpServer {
  readonly port: number;
  /**
   * Shows other files and trusts by them from the next connection on. Whoever came before gets the
   * answer that is under way, and has to come again. Throws where the files are no good.
   */
  renew(tls: Tls): void;
}

/** Listens until the scope ends, within limits on all that a caller can stretch. */
export async function openHttpServer(
  door: Door,
  listener: RequestListener,
  scope: AsyncDisposableStack,
): Promise<HttpServer> {
  const server = serverOf(door, watched(door.service, listener));
  server.maxConnections = CONNECTIONS_MAX;
  if (door.broken !== undefined) server.on('clientError', answering(door.broken));
  const latest = latestOf(server, door.tls === undefined ? 'connection' : 'secureConnection');
  const [open, shaking] = [openOf(server), shakingOf(server)];
  server.listen(door.port, door.host);
  await once(server, 'listening');
  scope.defer(() => close(server, { latest, open }));
  return {
    port: (server.address() as AddressInfo).port,
    renew: (tls) => {
      (server as TlsServer).setSecureContext({ ...tls, ...TLS_OPTIONS });
      for (const socket of shaking.values()) socket.destroy();
      for (const [socket, answer] of latest) letGo(socket, answer);
    },
  };
}

/** Ends a connection after the answer that is under way. */
function letGo(socket: Socket, answer: ServerResponse | undefined): void {
  if (answer === undefined) socket.destroy();
  else if (answer.writableFinished) socket.destroySoon();
  else answer.once('finish', () => socket.destroySoon());
}

// No tickets: a session that is resumed would carry on a certificate that is revoked by now.
const TLS_OPTIONS = {
  minVersion: 'TLSv1.2',
  secureOptions: constants.SSL_OP_NO_TICKET,
} as const;

function serverOf({ requestMsMax, tls }: Door, listener: RequestListener): Server {
  const limits = {
    headersTimeout: HEADERS_MS_MAX,
    requestTimeout: requestMsMax,
    connectionsCheckingInterval: CHECK_MS,
    maxHeaderSize: HEADER_BYTES_MAX,
  };
  if (tls === undefined) return createServer(limits, listener);
  const asked = { rejectUnauthorized: false, handshakeTimeout: HEADERS_MS_MAX };
  return createTlsServer({ ...limits, ...tls, ...TLS_OPTIONS, ...asked }, listener);
}

function answering(broken: (code: string) => string) {
  return (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    socket.end(broken(error.code ?? ''), () => socket.destroy());
  };
}

/**
 * Connections and the latest answer of each. Without a request so far there is none: clients open
 * some in advance, and Node calls none of those idle.
 */
function latestOf(server: Server, connected: 'connection' | 'secureConnection') {
  const latest = new Map<Socket, ServerResponse | undefined>();
  server.on(connected, (socket: Socket) => {
    latest.set(socket, undefined);
    socket.once('close', () => latest.delete(socket));
  });
  server.on('request', ({ socket }, answer) => latest.set(socket, answer));
  return latest;
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

/** Connections in the middle of their handshake, by where they come from. */
function shakingOf(server: Server): ReadonlyMap<string, Socket> {
  const shaking = new Map<string, Socket>();
  const whence = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`;
  server.on('connection', (socket: Socket) => {
    const from = whence(socket);
    shaking.set(from, socket);
    socket.once('close', () => shaking.delete(from));
  });
  server.on('secureConnection', (socket: Socket) => shaking.delete(whence(socket)));
  return shaking;
}

interface Sockets {
  readonly latest: ReadonlyMap<Socket, ServerResponse | undefined>;
  readonly open: ReadonlySet<Socket>;
}

async function close(server: Server, { latest, open }: Sockets): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  for (const [socket, answer] of latest) if (answer === undefined) socket.destroy();
  const timer = setTimeout(() => {
    for (const socket of open) socket.destroy();
  }, CLOSING_MS_MAX);
  await closed;
  clearTimeout(timer);
}
