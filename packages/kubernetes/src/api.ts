// SPDX-License-Identifier: Apache-2.0
import type { ClusterConnection } from './connection.ts';
import { KubernetesFault } from './fault.ts';
import type { Query } from './path.ts';
import { refusalFault } from './refusal.ts';
import { type ApiAnswer, type ApiCall, send } from './request.ts';

/** What is read: path segments are encoded here, so they are given as they are. */
export interface ReadCall {
  readonly path: readonly string[];
  readonly query?: Query | undefined;
  /** Most bytes of the answer; `JSON_BYTES_MAX` where it is left out. */
  readonly bytesMax?: number | undefined;
}

/** What is written; `body` becomes JSON. */
export interface WriteCall extends ReadCall {
  readonly body: unknown;
  /** True where writing it twice changes nothing, as with a review. */
  readonly repeatable?: boolean | undefined;
}

/** JSON of an answer and the `Warning` headers that admission gave with it. */
export interface Written {
  readonly json: unknown;
  readonly warnings: readonly string[];
}

/** The start of a body; `cut` says that there was more. */
export interface BoundedBytes {
  readonly bytes: Buffer;
  readonly cut: boolean;
}

/** Largest JSON answer, and largest page of a list, in bytes. */
export const JSON_BYTES_MAX = 33_554_432;

/** GETs JSON. Throws a KubernetesFault for every answer that is not a success. */
export async function getJson(
  connection: ClusterConnection,
  call: ReadCall,
  signal: AbortSignal,
): Promise<unknown> {
  const full = { ...read(call), method: 'GET' as const, accept: 'application/json' };
  return jsonOf(await succeed(connection, full, signal), call.path);
}

/** GETs bytes of any media type, at most `bytesMax`; the rest is not fetched. */
export async function getBytes(
  connection: ClusterConnection,
  call: ReadCall & { readonly bytesMax: number },
  signal: AbortSignal,
): Promise<BoundedBytes> {
  // pods/log answers 406 to text/plain; only the wildcard fits everything.
  const full = { ...read(call), method: 'GET' as const, accept: '*/*', cut: true };
  const { body, cut } = await succeed(connection, full, signal);
  return { bytes: body, cut };
}

/** POSTs JSON, for reviews and for what is created. */
export async function postJson(
  connection: ClusterConnection,
  call: WriteCall,
  signal: AbortSignal,
): Promise<Written> {
  return write(connection, { ...call, method: 'POST', contentType: 'application/json' }, signal);
}

/** PATCHes by strategic merge, the only form that subresources of pods take without surprises. */
export async function patchJson(
  connection: ClusterConnection,
  call: WriteCall,
  signal: AbortSignal,
): Promise<Written> {
  const contentType = 'application/strategic-merge-patch+json';
  return write(connection, { ...call, method: 'PATCH', contentType }, signal);
}

async function write(
  connection: ClusterConnection,
  call: WriteCall & { readonly method: 'POST' | 'PATCH'; readonly contentType: string },
  signal: AbortSignal,
): Promise<Written> {
  const { method, contentType, repeatable } = call;
  const body = JSON.stringify(call.body);
  const asked = { ...read(call), method, contentType, body, repeatable };
  const full = { ...asked, accept: 'application/json' };
  const answer = await succeed(connection, full, signal);
  return { json: jsonOf(answer, call.path), warnings: answer.warnings };
}

function read(call: ReadCall) {
  return { path: call.path, query: call.query, bytesMax: call.bytesMax ?? JSON_BYTES_MAX };
}

async function succeed(connection: ClusterConnection, call: ApiCall, signal: AbortSignal) {
  const answer = await send(connection, call, signal);
  if (answer.status >= 200 && answer.status < 300) return answer;
  const refused = { ...answer, body: answer.body.toString('utf8', 0, 65_536) };
  throw refusalFault(refused, `${call.method} ${call.path.join('/')}`);
}

function jsonOf(answer: ApiAnswer, path: readonly string[]): unknown {
  try {
    return JSON.parse(answer.body.toString('utf8'));
  } catch {
    // The parser's error quotes the body, and a body may be a Secret.
    throw new KubernetesFault(
      'malformed-answer',
      `the answer to ${path.join('/')} is not JSON; check that the address is an API server`,
      { status: answer.status },
    );
  }
}
