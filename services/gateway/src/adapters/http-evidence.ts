// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { text } from '@impound/contracts/ids.ts';
import type { Log } from '@impound/runtime/log.ts';
import * as z from 'zod';
import type { Caller } from '../domain/caller.ts';
import { readBody } from '../domain/order.ts';
import { Refusal } from '../domain/problem.ts';
import { Reason, readQuery } from './http-acquisitions.ts';
import { jsonBody } from './http-body.ts';
import type { Request, Route } from './http-server.ts';

/** Where the bytes are, and what they must be. */
export interface EvidenceSource {
  readonly url: string;
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Records the access and opens the object. Throws Refusal. */
export type Accessing = (
  access: {
    readonly caller: Caller;
    readonly acquisitionId: string;
    readonly set: string;
    readonly name: string;
    readonly purpose: string;
  },
  signal: AbortSignal,
) => Promise<EvidenceSource>;

/** What evidence is wanted for: it goes on record. */
export const PurposeQuery = z.strictObject({ purpose: text(1_024) });
const TYPE = 'application/octet-stream';
/** Of what the store answers, what the client is told. */
const PASSED = [
  'content-length',
  'content-range',
  'content-digest',
  'repr-digest',
  'etag',
] as const;

/** Hands evidence out: recorded first, then streamed; a client that goes ends the reading too. */
export function evidenceRoute(accessing: Accessing, log: Log, stopping: AbortSignal): Route {
  return {
    method: 'GET',
    path: '/v1/acquisitions/:id/evidence/:set/:name',
    gives: TYPE,
    leaves: true,
    answer: async (request) => {
      const gone = new AbortController();
      request.env.outgoing.once('close', () => gone.abort());
      const signal = AbortSignal.any([gone.signal, stopping]);
      const { purpose } = readQuery(PurposeQuery, request);
      const { id = '', set = '', name = '' } = request.req.param();
      const { caller } = request.var;
      const source = await accessing({ caller, acquisitionId: id, set, name, purpose }, signal);
      return await passOn(request, source, { log, signal });
    },
  };
}

/** How the store holds evidence now: asked for a reason, which goes on record with the answer. */
export function inspectRoute(
  inspecting: (of: {
    readonly caller: Caller;
    readonly acquisitionId: string;
    readonly reason: string;
  }) => Promise<object>,
): Route {
  return {
    method: 'POST',
    path: '/v1/acquisitions/:id/inspect',
    gives: 'application/json',
    answer: async (it) => {
      const { reason } = readBody(Reason, await jsonBody(it.env.incoming));
      const acquisitionId = it.req.param('id') ?? '';
      return it.json(await inspecting({ caller: it.var.caller, acquisitionId, reason }));
    },
  };
}

async function passOn(
  request: Request,
  source: EvidenceSource,
  deps: { readonly log: Log; readonly signal: AbortSignal },
): Promise<Response> {
  const { outgoing } = request.env;
  const answer = await fetched(request, source, deps.signal);
  const headers: Record<string, string> = {
    'content-type': TYPE,
    'cache-control': 'no-store',
    'accept-ranges': 'bytes',
    'content-disposition': `attachment; filename="${source.name}"`,
  };
  for (const name of PASSED) {
    const value = answer.headers.get(name);
    if (value !== null) headers[name] = value;
  }
  outgoing.writeHead(answer.status, headers);
  const body = answer.body === null ? [] : (answer.body as ReadableStream);
  const from = Array.isArray(body) ? Readable.from(body) : Readable.fromWeb(body);
  // A source that breaks off breaks the connection: a short body is never taken for whole.
  await pipeline(from, outgoing, { signal: deps.signal }).catch((error: unknown) => {
    deps.log.info('handing out ended early', { name: source.name, because: String(error) });
    outgoing.destroy();
  });
  return RESPONSE_ALREADY_SENT;
}

async function fetched(
  request: Request,
  source: EvidenceSource,
  signal: AbortSignal,
): Promise<Response> {
  const range = request.req.header('range');
  const headers = range === undefined ? {} : { range };
  const answer = await fetch(source.url, { headers, signal, redirect: 'error' }).catch(() => {
    throw new Refusal('unavailable', 'the evidence store is away: ask again in a little while');
  });
  if (answer.status === 200 || answer.status === 206) return answer;
  await answer.body?.cancel();
  if (answer.status === 416) throw new Refusal('query-refused', `Range: of ${source.bytes} bytes`);
  throw new Refusal('unavailable', 'the evidence store does not hand it out: ask again');
}
