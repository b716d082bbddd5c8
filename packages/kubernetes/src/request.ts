// SPDX-License-Identifier: Apache-2.0
import { type ClientRequest, type IncomingMessage, request as plainRequest } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import type { ClusterConnection } from './connection.ts';
import type { RequestOptions } from './credentials.ts';
import { abortedFault, KubernetesFault } from './fault.ts';
import { networkFault } from './network-fault.ts';
import { type Query, requestPath } from './path.ts';

/** One request to the API server. */
export interface ApiCall {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Path segments, not encoded: `['api', 'v1', 'namespaces', namespace, 'pods']`. */
  readonly path: readonly string[];
  readonly query?: Query | undefined;
  readonly accept: string;
  readonly contentType?: string | undefined;
  readonly body?: string | undefined;
  /** Most bytes of the answer's body that are read. */
  readonly bytesMax: number;
  /** True: what is over `bytesMax` is cut off. False: it is a fault. */
  readonly cut?: boolean | undefined;
  /** True where asking twice does no more than asking once, as a GET does by itself. */
  readonly repeatable?: boolean | undefined;
}

/** An answer as it came, whatever its status. */
export interface ApiAnswer {
  readonly status: number;
  readonly retryAfter?: string | undefined;
  /** When the server made it, by its own clock: the `Date` header. */
  readonly date?: string | undefined;
  /** `Warning` headers, as admission plugins send them. */
  readonly warnings: readonly string[];
  readonly body: Buffer;
  readonly cut: boolean;
}

/** Longest time for one request and its whole answer. */
export const REQUEST_MS_MAX = 30_000;

/**
 * Connections that are used again for questions: a handshake costs more than most answers. What
 * they were opened with (server, CA, certificate) is part of the agent's key, a token goes with
 * each request. An idle one ends before a server says that it ends it, or what stands between them
 * does; while it is idle TCP asks every second whether the other side is still there.
 */
const IDLE_MS_MAX = 30_000;
const lasting = new SecureAgent({
  keepAlive: true,
  timeout: IDLE_MS_MAX,
  ...{ maxSockets: 16, maxFreeSockets: 4 },
});

/**
 * Sends one request; what changes something has a connection of its own. Faults: `unreachable`,
 * `tls-untrusted`, `timeout`, `aborted`, `response-too-large` and those of the credentials; a
 * refusal is an answer, no fault.
 */
export async function send(
  connection: ClusterConnection,
  call: ApiCall,
  signal: AbortSignal,
): Promise<ApiAnswer> {
  const path = requestPath(connection.server, call.path, call.query);
  const options = await connection.requestOptions(signal);
  const deadline = AbortSignal.timeout(REQUEST_MS_MAX);
  const { server } = connection;
  const open = server.protocol === 'http:' ? plainRequest : secureRequest;
  const ask = (agent: RequestOptions['agent']) =>
    exchange(
      open(server.origin + path, {
        ...options,
        agent,
        method: call.method,
        headers: { ...options.headers, ...headersOf(call) },
        signal: AbortSignal.any([signal, deadline]),
        timeout: REQUEST_MS_MAX,
      }),
      call,
    );
  try {
    // A proxy's agent, and a plain connection, are left as they are.
    if (options.agent.constructor !== SecureAgent || !isQuestion(call)) {
      return await ask(options.agent);
    }
    return await ask(lasting).catch((error: unknown) => {
      if (error instanceof Outlived) return ask(options.agent);
      throw error;
    });
  } catch (error) {
    if (signal.aborted) throw abortedFault(signal);
    if (deadline.aborted) throw slowFault(server.host);
    throw networkFault(error, server.host);
  }
}

function isQuestion({ method, repeatable }: ApiCall): boolean {
  return method === 'GET' || repeatable === true;
}

/** The server has ended a connection just when it was to be used again. */
class Outlived extends Error {
  override readonly name = 'Outlived';
}

function headersOf(call: ApiCall): Record<string, string> {
  if (call.body === undefined) return { Accept: call.accept };
  return {
    Accept: call.accept,
    'Content-Type': call.contentType ?? 'application/json',
    'Content-Length': String(Buffer.byteLength(call.body)),
  };
}

async function exchange(request: ClientRequest, call: ApiCall): Promise<ApiAnswer> {
  const { promise: answered, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  request.once('response', resolve);
  request.on('error', (cause) => {
    const outlived = request.reusedSocket && /ECONNRESET|EPIPE/.test(String(codeOf(cause)));
    reject(outlived ? new Outlived('the connection was idle too long', { cause }) : cause);
  });
  request.end(call.body);
  let isRead = false;
  try {
    const response = await answered;
    const { body, cut } = await readBody(response, call);
    isRead = response.complete && response.readableEnded;
    const status = response.statusCode ?? 0;
    const warnings = [response.headers.warning ?? []].flat().slice(0, 20);
    const { 'retry-after': retryAfter, date } = response.headers;
    return { status, retryAfter, date, warnings, body, cut };
  } finally {
    // Read to its end, the connection is for the next one.
    if (!isRead) request.destroy();
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

async function readBody(response: IncomingMessage, call: ApiCall) {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes > call.bytesMax) break;
  }
  const body = Buffer.concat(chunks);
  if (bytes <= call.bytesMax) return { body, cut: false };
  if (call.cut === true) return { body: body.subarray(0, call.bytesMax), cut: true };
  throw new KubernetesFault(
    'response-too-large',
    `the answer to ${call.method} ${call.path.join('/')} is larger than ${call.bytesMax} bytes; ` +
      'narrow the request',
  );
}

function slowFault(host: string): KubernetesFault {
  return new KubernetesFault(
    'timeout',
    `${host} did not answer within ${REQUEST_MS_MAX} ms; try again later`,
  );
}
