// SPDX-License-Identifier: Apache-2.0
import { type ClientRequest, type IncomingMessage, request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { ClusterConnection } from './connection.ts';
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
 * Sends one request on a connection of its own. Faults: `unreachable`, `tls-untrusted`, `timeout`,
 * `aborted`, `response-too-large` and those of the credentials; a refusal is an answer, no fault.
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
  try {
    const request = open(server.origin + path, {
      ...options,
      method: call.method,
      headers: { ...options.headers, ...headersOf(call) },
      signal: AbortSignal.any([signal, deadline]),
      timeout: REQUEST_MS_MAX,
    });
    return await exchange(request, call);
  } catch (error) {
    if (signal.aborted) throw abortedFault(signal);
    if (deadline.aborted) throw slowFault(server.host);
    throw networkFault(error, server.host);
  }
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
  request.on('error', reject);
  request.end(call.body);
  try {
    const response = await answered;
    const { body, cut } = await readBody(response, call);
    const status = response.statusCode ?? 0;
    const warnings = [response.headers.warning ?? []].flat().slice(0, 20);
    const { 'retry-after': retryAfter, date } = response.headers;
    return { status, retryAfter, date, warnings, body, cut };
  } finally {
    request.destroy();
  }
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
