// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { ApiStatus, badRequest } from './status.ts';

const BODY_BYTES_MAX = 3 * 1024 * 1024;

/** An answer with a body of known length. */
export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  /** False for what the kubelet answers: it adds none of the API server's headers. */
  readonly fromServer: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A JSON object. */
export function json(body: unknown, status = 200): Answer {
  const text = `${JSON.stringify(body)}\n`;
  return { status, type: 'application/json', body: text, fromServer: true };
}

/** Plain text of the API server, e.g. `404 page not found`. */
export function plain(body: string, status = 200): Answer {
  return { status, type: 'text/plain; charset=utf-8', body, fromServer: true };
}

/** Plain text of the kubelet, which knows no Status objects. */
export function fromKubelet(status: number, body: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body, fromServer: false };
}

/** The answer for an error: its Status, or 500 with the message of a fault of the lab. */
export function failed(error: unknown): Answer {
  const known =
    error instanceof ApiStatus
      ? error
      : new ApiStatus(500, 'InternalError', `the lab failed: ${String(error)}`);
  const answer = { status: known.code, type: 'application/json', body: known.body() };
  const headers = known.code === 429 ? { 'retry-after': '1' } : {};
  return { ...answer, fromServer: true, headers };
}

function headersOf(answer: Answer): Record<string, string> {
  const server = { 'audit-id': randomUUID(), 'cache-control': 'no-cache, private' };
  return {
    ...(answer.fromServer ? server : {}),
    ...(answer.type === '' ? {} : { 'content-type': answer.type }),
    ...(answer.status === 403 || answer.type.startsWith('text/plain; ')
      ? { 'x-content-type-options': 'nosniff' }
      : {}),
    ...answer.headers,
  };
}

/** Sends an answer by the ordinary way. */
export function sendAnswer(response: ServerResponse, answer: Answer): void {
  if (response.headersSent || response.destroyed) return;
  const length = answer.status === 204 ? {} : { 'content-length': Buffer.byteLength(answer.body) };
  response.writeHead(answer.status, { ...headersOf(answer), ...length });
  response.end(answer.body);
}

/** Refuses an upgrade: the same answer, written to the bare connection. */
export function refuseUpgrade(socket: Duplex, answer: Answer): void {
  const head = {
    ...headersOf(answer),
    ...(answer.body === '' ? {} : { 'content-length': String(Buffer.byteLength(answer.body)) }),
    connection: 'close',
  };
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}`);
  socket.end(`HTTP/1.1 ${answer.status} Refused\r\n${lines.join('\r\n')}\r\n\r\n${answer.body}`);
}

/** Reads a JSON body of limited size; throws 400 or 413. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_BYTES_MAX) {
      throw new ApiStatus(413, 'RequestEntityTooLarge', `limit is ${BODY_BYTES_MAX}`);
    }
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  if (text === '') return {};
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw badRequest(`the object provided is unrecognized: ${(error as Error).message}`);
  }
}
