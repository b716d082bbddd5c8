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
/** Connections beyond that are told so; what comes beyond these too is only closed. */
const CONNECTIONS_TOLD_MAX = 256;
/** At a full door, connections on which nothing is under way for so long make room. */
const IDLE_MS_MAX = 2_000;
/** Connections that the kernel keeps until they are taken; of more it loses what they send. */
const BACKLOG = 4_096;
/** Of a body that nobody wants so much is read, so that whoever sends it gets its answer. */
const LEFT_BYTES_MAX = 65_536;
/** A busy loop sees this timer before the request that has arrived: a short one cuts it off. */
const KEEP_ALIVE_MS = 65_000;
/** When a client should come again to a door that is full. */
const RETRY_SECONDS = 2;
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
  /** Answers who comes while the door has all connections that it takes; absent: a bare 503. */
  readonly full?: ((answer: ServerResponse) => void) | undefined;
  /** Called for every connection that is taken. */
  readonly came?: (() => void) | undefined;
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
  const over = new WeakSet<Socket>();
  const server = serverOf(door, watched(door.service, withinLimit({ door, over }, listener)));
  server.maxConnections = CONNECTIONS_MAX + CONNECTIONS_TOLD_MAX;
  if (door.broken !== undefined) server.on('clientError', answering(door.broken));
  if (door.came !== undefined) server.on('connection', door.came);
  const connected = door.tls === undefined ? 'connection' : 'secureConnection';
  const latest = latestOf(server, connected, (socket) => over.add(socket));
  const [open, shaking] = [openOf(server), shakingOf(server)];
  server.listen({ port: door.port, host: door.host, backlog: BACKLOG });
  await once(server, 'listening');
  scope.defer(() => close(server, { latest, open }));
  return {
    port: (server.address() as AddressInfo).port,
    renew: (tls) => {
      (server as TlsServer).setSecureContext({ ...tls, ...TLS_OPTIONS });
      for (const socket of shaking.values()) socket.destroy();
      for (const [socket, { answer }] of latest) letGo(socket, answer);
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
    keepAliveTimeout: KEEP_ALIVE_MS,
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

/** The latest answer on a connection, and since when nothing is under way there. */
interface Latest {
  answer?: ServerResponse;
  idleSinceMs: number | undefined;
}

/**
 * Connections and the latest answer of each. Without a request so far there is none: clients open
 * some in advance, and Node calls none of those idle.
 */
function latestOf(
  server: Server,
  connected: 'connection' | 'secureConnection',
  tooMany: (socket: Socket) => void,
): ReadonlyMap<Socket, Latest> {
  const latest = new Map<Socket, Latest>();
  server.on(connected, (socket: Socket) => {
    if (latest.size >= CONNECTIONS_MAX && !makesRoom(latest)) tooMany(socket);
    latest.set(socket, { idleSinceMs: performance.now() });
    socket.once('close', () => latest.delete(socket));
  });
  server.on('request', ({ socket }, answer) => {
    const it = latest.get(socket);
    if (it === undefined) return;
    Object.assign(it, { answer, idleSinceMs: undefined });
    answer.once('finish', () => {
      if (it.answer === answer) it.idleSinceMs = performance.now();
    });
  });
  return latest;
}

/** Closes the first connection on which nothing is under way; false where there is none. */
function makesRoom(latest: Map<Socket, Latest>): boolean {
  const beforeMs = performance.now() - IDLE_MS_MAX;
  for (const [socket, { idleSinceMs }] of latest) {
    if (idleSinceMs === undefined || idleSinceMs > beforeMs) continue;
    socket.destroySoon();
    return latest.delete(socket);
  }
  return false;
}

/** Tells those who come beyond the limit, and ends their connection with it. */
function withinLimit(
  { door, over }: { readonly door: Door; readonly over: WeakSet<Socket> },
  listener: RequestListener,
): RequestListener {
  const { full = bareFull } = door;
  return (request, response) => {
    if (!over.has(request.socket)) return void listener(request, response);
    response.shouldKeepAlive = false;
    let bytes = 0;
    const tell = () => {
      if (!response.headersSent) full(response);
    };
    // Whoever is cut off while it still sends may never see the answer.
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > LEFT_BYTES_MAX) tell();
    });
    request.once('end', tell);
  };
}

function bareFull(response: ServerResponse): void {
  response.writeHead(503, { 'retry-after': String(RETRY_SECONDS), 'content-length': 0 }).end();
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
  readonly latest: ReadonlyMap<Socket, Latest>;
  readonly open: ReadonlySet<Socket>;
}

async function close(server: Server, { latest, open }: Sockets): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  for (const [socket, { answer }] of latest) if (answer === undefined) socket.destroy();
  const timer = setTimeout(() => {
    for (const socket of open) socket.destroy();
  }, CLOSING_MS_MAX);
  await closed;
  clearTimeout(timer);
}
