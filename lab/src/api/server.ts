// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Certificates } from '../certificates.ts';
import type { Kubelet } from '../pods/kubelet.ts';
import type { World } from '../world.ts';
import { type Answer, failed, json, plain, refuseUpgrade, sendAnswer } from './answer.ts';
import { ANONYMOUS, authorize, forbiddenPath, type User } from './authorization.ts';
import type { Context } from './context.ts';
import { discovery, VERSION } from './discovery.ts';
import { upgradeToExec } from './exec-upgrade.ts';
import { type Fault, type Faults, faults } from './faults.ts';
import { type PathRequest, type ResourceRequest, requestInfo } from './request-info.ts';
import { answerResource } from './resources.ts';
import { ApiStatus, unauthorized, unknownResource } from './status.ts';

const AUDIT_ENTRIES_MAX = 100_000;
const HEALTH = ['/healthz', '/livez', '/readyz'];

/** One request the server has seen. */
export interface AuditEntry {
  readonly method: string;
  /** Path with query, as it was sent. */
  readonly path: string;
  /** `admin`, `anonymous`, `namespace/name`, or `unknown` for a bad token. */
  readonly account: string;
  /** 101 for an accepted exec, 0 where no answer was sent. */
  readonly status: number;
  /** When it came, in Unix milliseconds. */
  readonly atMs: number;
  /** When all was over that it began: for an exec, when its command had ended. */
  readonly overMs?: number;
}

/** What the server serves. */
export interface Serving {
  readonly world: World;
  readonly kubelet: Kubelet;
  readonly certificates: Certificates;
  /** Users by bearer token. */
  readonly users: ReadonlyMap<string, User>;
}

/** A listening API server. */
export interface ApiServer extends AsyncDisposable {
  readonly url: string;
  readonly audit: readonly AuditEntry[];
  readonly faults: Faults;
}

/** Starts the API server on a free port of 127.0.0.1. */
export async function startServer(serving: Serving): Promise<ApiServer> {
  const { certificates } = serving;
  const audit: AuditEntry[] = [];
  const sockets = new Set<Socket>();
  const closing = new AbortController();
  const struck = faults();
  const note: Note = (entry) => {
    if (audit.length >= AUDIT_ENTRIES_MAX) audit.shift();
    audit.push(entry);
  };
  const server = createServer({ cert: certificates.certificate, key: certificates.key });
  const desk = { ...serving, note, faults: struck, signal: closing.signal };
  server.on('request', (request, response) => void onRequest(desk, request, response));
  server.on('upgrade', (request, socket, head) => void onUpgrade(desk, { request, socket, head }));
  server.on('tlsClientError', () => undefined);
  server.on('secureConnection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}`,
    audit,
    faults: struck,
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      for (const socket of sockets) socket.destroy();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}

type Note = (entry: AuditEntry) => void;

interface Desk extends Serving {
  readonly note: Note;
  readonly faults: Faults;
  readonly signal: AbortSignal;
}

async function onRequest(
  desk: Desk,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = 'GET', url: path = '/' } = request;
  const atMs = Date.now();
  let account = 'unknown';
  response.on('close', () => {
    const status = response.headersSent ? response.statusCode : 0;
    desk.note({ method, path, account, status, atMs, overMs: Date.now() });
  });
  response.on('error', () => response.destroy());
  try {
    const fault = desk.faults.strike(method, path);
    if (await struckBy(fault, request.socket)) return;
    if (fault?.kind === 'garbage') return sendAnswer(response, plain('\u0000{not json', 200));
    if (fault?.kind === 'answer') return sendAnswer(response, faultAnswer(fault));
    const user = authenticate(desk, request);
    account = user.account;
    await answer(desk, { request, response, user, fault });
  } catch (error) {
    sendAnswer(response, failed(error));
  }
}

/** Delays or swallows a request; true when there is nothing left to answer. */
async function struckBy(fault: Fault | undefined, socket: Duplex): Promise<boolean> {
  if (fault?.kind === 'slow') {
    await new Promise((resolve) => setTimeout(resolve, fault.delayMs).unref());
    return socket.destroyed;
  }
  if (fault?.kind === 'reset') socket.destroy();
  return fault?.kind === 'reset' || fault?.kind === 'hang';
}

function faultAnswer(fault: Extract<Fault, { readonly kind: 'answer' }>) {
  const reasons: Record<number, string> = { 429: 'TooManyRequests', 503: 'ServiceUnavailable' };
  const reason = reasons[fault.status] ?? 'InternalError';
  const status = failed(new ApiStatus(fault.status, reason, 'the lab was told to answer this'));
  const retry = fault.retryAfterSeconds;
  const headers = retry === undefined ? {} : { 'retry-after': String(retry) };
  const own = fault.body === undefined ? {} : { body: fault.body, type: 'text/plain' };
  return { ...status, ...own, headers: { ...status.headers, ...headers } };
}

function authenticate(desk: Desk, request: IncomingMessage): User {
  const header = request.headers.authorization;
  if (header === undefined) return ANONYMOUS;
  const user = desk.users.get(header.replace(/^Bearer /i, ''));
  if (user === undefined) throw unauthorized();
  return user;
}

interface Arrival {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly user: User;
  readonly fault: Fault | undefined;
}

async function answer(desk: Desk, arrival: Arrival): Promise<void> {
  const { request, response, user } = arrival;
  const { asked, query } = takeApart(request);
  if (!('resource' in asked)) return answerPath(asked, user, arrival);
  authorize(user, asked);
  const { world, kubelet, signal } = desk;
  const fault = arrival.fault;
  const context: Context = { world, kubelet, user, asked, query, request, response, fault, signal };
  await answerResource(context);
}

function takeApart(request: IncomingMessage): {
  readonly asked: ResourceRequest | PathRequest;
  readonly query: URLSearchParams;
} {
  const [path = '/', query = ''] = (request.url ?? '/').split(/\?(.*)/s);
  const parameters = new URLSearchParams(query);
  return { asked: requestInfo(request.method ?? 'GET', path, parameters), query: parameters };
}

function answerPath(asked: PathRequest, user: User, arrival: Arrival): void {
  const { request, response } = arrival;
  const { path } = asked;
  const open = ['/version', '/version/', ...HEALTH].includes(path);
  if (!open && !mayRead(user, path)) throw forbiddenPath(user, asked.verb, path);
  sendAnswer(response, documentOf(path.replace(/\/$/, ''), request.headers.host ?? ''));
}

function documentOf(path: string, host: string): Answer {
  if (HEALTH.includes(path)) return plain('ok');
  const document = path === '/version' ? VERSION : discovery(path, host);
  return document === undefined ? plain('404 page not found\n', 404) : json(document);
}

function mayRead(user: User, path: string): boolean {
  return user.admin || (user !== ANONYMOUS && /^\/(apis?|openapi)(\/|$)/.test(path));
}

interface UpgradeArrival {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

async function onUpgrade(desk: Desk, arrival: UpgradeArrival): Promise<void> {
  const { request, socket } = arrival;
  const { method = 'GET', url: path = '/' } = request;
  const entry: { overMs?: number } = {};
  const asked = { method, path, atMs: Date.now() };
  let account = 'unknown';
  const over = (): void => {
    entry.overMs = Date.now();
  };
  const note = (status: number): void => {
    if (status !== 101) over();
    desk.note(Object.assign(entry, { ...asked, account, status }));
  };
  socket.on('error', () => socket.destroy());
  try {
    const fault = desk.faults.strike(method, path);
    if (await struckBy(fault, socket)) return note(0);
    const user = authenticate(desk, request);
    account = user.account;
    const refusal =
      fault?.kind === 'answer'
        ? faultAnswer(fault)
        : decide(desk, { ...arrival, over }, user, fault);
    note(refusal?.status ?? 101);
    if (refusal !== undefined) refuseUpgrade(socket, refusal);
  } catch (error) {
    const refusal = failed(error);
    note(refusal.status);
    refuseUpgrade(socket, refusal);
  }
}

function decide(
  desk: Desk,
  arrival: UpgradeArrival & { readonly over: () => void },
  ...[user, fault]: [User, Fault | undefined]
) {
  const { asked, query } = takeApart(arrival.request);
  if (!('resource' in asked)) throw unknownResource();
  authorize(user, asked);
  if (asked.resource !== 'pods' || asked.subresource !== 'exec') throw unknownResource();
  if (fault?.kind === 'garbage') return { ...plain('\u0000{not json'), fromServer: false };
  return upgradeToExec({ world: desk.world, user, asked, query, fault, ...arrival });
}
