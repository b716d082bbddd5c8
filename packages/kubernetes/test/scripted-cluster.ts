// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { type ClusterConnection, connectionFromKubeconfig } from '../src/connection.ts';
import { type Certificate, selfSigned } from './certificates.ts';

/** A request as the scripted cluster saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly url: URL;
  readonly rawUrl: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly clientCertificate: string | undefined;
  /** The client's port: the same one over the same connection. */
  readonly port: number | undefined;
}

/** An answer in plain HTTP. */
export interface ScriptedAnswer {
  readonly status: number;
  readonly headers?: OutgoingHttpHeaders | undefined;
  /** Text as it is; anything else becomes JSON. */
  readonly body?: unknown;
}

/** An upgrade that is accepted: what is agreed on, and what then happens. */
export interface ScriptedChannel {
  readonly protocol: string | undefined;
  play(socket: WebSocket, raw: Duplex): void | Promise<void>;
}

/** What the cluster of one test does. */
export interface Script {
  http?(seen: SeenRequest): ScriptedAnswer | 'hang' | 'drop';
  exec?(seen: SeenRequest): ScriptedAnswer | ScriptedChannel | 'hang';
}

/** An API server that does what a test says, on a free port, with a CA of its own. */
export interface ScriptedCluster extends AsyncDisposable {
  readonly server: string;
  readonly certificate: Certificate;
  readonly seen: SeenRequest[];
  kubeconfig(cluster?: object, user?: object): string;
  connect(): Promise<ClusterConnection>;
}

const NAMES = 'IP:127.0.0.1,DNS:cluster.test';
let certificate: Certificate | undefined;

/** Starts a scripted cluster. */
export async function scriptedCluster(script: Script): Promise<ScriptedCluster> {
  certificate ??= selfSigned('cluster.test', NAMES);
  const own = certificate;
  const seen: SeenRequest[] = [];
  const web = createServer({ ...own, requestCert: true, rejectUnauthorized: false });
  // As an API server keeps them.
  web.keepAliveTimeout = 90_000;
  const sockets = new Set<Duplex>();
  web.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  web.on('request', async (request, response) => {
    const one = see(request, await text(request));
    seen.push(one);
    const answer = script.http?.(one) ?? { status: 404 };
    if (answer === 'drop') request.socket.destroy();
    if (answer === 'hang' || answer === 'drop') return;
    response.writeHead(answer.status, answer.headers).end(bodyOf(answer));
  });
  web.on('upgrade', (request, socket: Duplex, head: Buffer) => {
    const one = see(request, '');
    seen.push(one);
    socket.on('error', () => undefined);
    upgrade(script.exec?.(one) ?? { status: 404 }, { request, socket, head });
  });
  web.listen(0, '127.0.0.1');
  await once(web, 'listening');
  const server = `https://127.0.0.1:${(web.address() as AddressInfo).port}`;
  const kubeconfig = (cluster: object = {}, user: object = { token: 'test-token' }) =>
    kubeconfigText({ server, ca: own.cert, cluster, user });
  return {
    server,
    certificate: own,
    seen,
    kubeconfig,
    connect: () => connectionFromKubeconfig({ text: kubeconfig() }),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      web.close();
      await once(web, 'close');
    },
  };
}

interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

function upgrade(answer: ScriptedAnswer | ScriptedChannel | 'hang', at: Upgrade): void {
  if (answer === 'hang') return;
  if ('status' in answer) refuse(answer, at.socket);
  else accept(answer, at);
}

function accept(answer: ScriptedChannel, at: Upgrade): void {
  const { protocol } = answer;
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    handleProtocols: () => protocol ?? false,
  });
  server.handleUpgrade(at.request, at.socket, at.head, (socket) => {
    socket.on('error', () => undefined);
    void answer.play(socket, at.socket);
  });
}

function refuse(answer: ScriptedAnswer, socket: Duplex): void {
  const body = bodyOf(answer);
  const headers = { connection: 'close', 'content-length': Buffer.byteLength(body) };
  const lines = Object.entries({ ...answer.headers, ...headers }).map(([k, v]) => `${k}: ${v}`);
  socket.end(`HTTP/1.1 ${answer.status} Refused\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
}

function bodyOf(answer: ScriptedAnswer): string {
  if (answer.body === undefined) return '';
  return typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
}

function see(request: IncomingMessage, body: string): SeenRequest {
  const { socket, headers, method = '', url: rawUrl = '' } = request;
  const peer = 'getPeerCertificate' in socket ? socket : undefined;
  const certificateOf = peer as { getPeerCertificate(): { subject?: { CN?: string } } } | undefined;
  const clientCertificate = certificateOf?.getPeerCertificate().subject?.CN;
  const { remotePort: port } = socket;
  const url = new URL(rawUrl, 'https://x');
  return { method, url, rawUrl, headers, body, clientCertificate, port };
}

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

interface KubeconfigParts {
  readonly server: string;
  readonly ca: string;
  readonly cluster: object;
  readonly user: object;
}

function kubeconfigText({ server, ca, cluster, user }: KubeconfigParts): string {
  const authority = Buffer.from(ca).toString('base64');
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [
      { name: 'prod-eu', cluster: { server, 'certificate-authority-data': authority, ...cluster } },
    ],
    users: [{ name: 'responder', user }],
    contexts: [{ name: 'test', context: { cluster: 'prod-eu', user: 'responder' } }],
  });
}
