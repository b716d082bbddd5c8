// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { CaseId, Count, text } from '@impound/contracts/ids.ts';
import { Order } from '@impound/contracts/order.ts';
import * as z from 'zod';
import { linksOf } from '../domain/acquisition-view.ts';
import type { Caller } from '../domain/caller.ts';
import { LIST_DEFAULT, LIST_MAX } from '../domain/limits.ts';
import { readBody } from '../domain/order.ts';
import { Refusal } from '../domain/problem.ts';
import { jsonBody } from './http-body.ts';
import type { Request, Route } from './http-server.ts';

/** What stands behind these routes. All of it throws Refusal. */
export interface Acquisitions {
  submit(of: {
    readonly caller: Caller;
    readonly order: Order;
    readonly idempotencyKey?: string | undefined;
  }): Promise<{ readonly acquisitionId: string; readonly repeated: boolean }>;
  decide(of: {
    readonly verb: 'approve' | 'refuse' | 'cancel';
    readonly caller: Caller;
    readonly acquisitionId: string;
    readonly reason: string;
  }): Promise<object>;
  list(caller: Caller, page: Page): Promise<object>;
  view(caller: Caller, acquisitionId: string): Promise<object>;
  /** Entry by entry, as the text that was hashed. Rejects before the first where there is none. */
  chain(caller: Caller, acquisitionId: string): Promise<AsyncIterable<string>>;
}

/** Which part of a list. */
export const Page = z.strictObject({
  case: CaseId.optional(),
  before: z.coerce.number().pipe(Count).optional(),
  limit: z.coerce.number().int().min(1).max(LIST_MAX).default(LIST_DEFAULT),
});
export type Page = z.output<typeof Page>;

/** The body of a decision. */
export const Reason = z.strictObject({ reason: text(1_024) });
const JSON_TYPE = 'application/json';
const BASE = '/v1/acquisitions';

/** Reads a query by its schema. Throws Refusal. */
export function readQuery<Shape extends z.ZodType>(shape: Shape, request: Request) {
  const twice = Object.entries(request.req.queries()).find(([, values]) => values.length > 1);
  if (twice !== undefined) throw new Refusal('query-refused', `${twice[0]}: give it once`);
  const parsed = shape.safeParse(request.req.query());
  if (parsed.success) return parsed.data as z.output<Shape>;
  const [first] = parsed.error.issues;
  const where = first?.path.join('.') || 'the query';
  throw new Refusal('query-refused', `${where}: ${first?.message}`);
}

export function acquisitionRoutes(behind: Acquisitions): readonly Route[] {
  const decision = (verb: 'approve' | 'refuse' | 'cancel'): Route => ({
    method: 'POST',
    path: `${BASE}/:id/${verb}`,
    gives: JSON_TYPE,
    answer: async (request) => {
      const { reason } = readBody(Reason, await jsonBody(request.env.incoming));
      const decided = { verb, caller: request.var.caller, acquisitionId: idOf(request), reason };
      return request.json(await behind.decide(decided), 202);
    },
  });
  return [
    { method: 'GET', path: `${BASE}/:id`, gives: JSON_TYPE, answer: (it) => view(it, behind) },
    {
      method: 'GET',
      path: `${BASE}/:id/chain`,
      gives: 'application/jsonl',
      answer: (it) => chain(it, behind),
    },
    decision('approve'),
    decision('refuse'),
    decision('cancel'),
  ];
}

/** What can be done with all of them: list them, and begin one. */
export function startRoutes(behind: Acquisitions): readonly Route[] {
  return [
    {
      method: 'GET',
      path: BASE,
      gives: JSON_TYPE,
      answer: async (it) => it.json(await behind.list(it.var.caller, readQuery(Page, it))),
    },
    {
      method: 'POST',
      path: BASE,
      gives: JSON_TYPE,
      submits: true,
      answer: (it) => submit(it, behind),
    },
  ];
}

function idOf(request: Request): string {
  return request.req.param('id') ?? '';
}

const NoQuery = z.strictObject({});

async function submit(request: Request, behind: Acquisitions): Promise<Response> {
  // Whoever adds dry-run to it must not find out that it was for real.
  readQuery(NoQuery, request);
  const order = readBody(Order, await jsonBody(request.env.incoming));
  return await answerOrder(request, order, behind);
}

/** Gives an order, and answers with where to look. */
export async function answerOrder(
  request: Request,
  order: Order,
  behind: Acquisitions,
): Promise<Response> {
  const { caller, messageId } = request.var;
  // No signature covers the header: whoever replays a signed message must not choose another key.
  const idempotencyKey =
    messageId === undefined ? request.req.header('idempotency-key') : `webhook:${messageId}`;
  const { acquisitionId } = await behind.submit({ caller, order, idempotencyKey });
  const links = linksOf(acquisitionId);
  request.header('location', links['self']);
  return request.json({ acquisitionId, links }, 202);
}

async function view(request: Request, behind: Acquisitions): Promise<Response> {
  return request.json(await behind.view(request.var.caller, idOf(request)));
}

async function chain(request: Request, behind: Acquisitions): Promise<Response> {
  const lines = await behind.chain(request.var.caller, idOf(request));
  const { outgoing } = request.env;
  outgoing.writeHead(200, { 'content-type': 'application/jsonl', 'cache-control': 'no-store' });
  if (request.req.method === 'HEAD') {
    outgoing.end();
    return RESPONSE_ALREADY_SENT;
  }
  const ended = async function* () {
    for await (const line of lines) yield `${line}\n`;
  };
  // A chain that breaks off breaks the connection: a part of it is never taken for the whole.
  await pipeline(Readable.from(ended()), outgoing).catch(() => outgoing.destroy());
  return RESPONSE_ALREADY_SENT;
}
