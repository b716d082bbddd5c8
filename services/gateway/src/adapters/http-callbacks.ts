// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import type { Caller } from '../domain/caller.ts';
import { readBody } from '../domain/order.ts';
import { Reason, readQuery } from './http-acquisitions.ts';
import { jsonBody } from './http-body.ts';
import type { Route } from './http-server.ts';

/** From where on. */
export const CallbacksQuery = z.strictObject({
  after: z.coerce.number().int().min(-1).default(-1),
});

/** What stands behind these routes. All of it throws Refusal. */
export interface Callbacks {
  list(caller: Caller, from: { readonly after: number }): Promise<object>;
  sendAgain(of: {
    readonly caller: Caller;
    readonly acquisitionId: string;
    readonly reason: string;
  }): Promise<object>;
}

/** The callbacks that are given up, and one more attempt for those of an acquisition. */
export function callbackRoutes(callbacks: Callbacks): readonly Route[] {
  const gives = 'application/json';
  return [
    {
      method: 'GET',
      path: '/v1/callbacks',
      gives,
      answer: async (it) =>
        it.json(await callbacks.list(it.var.caller, readQuery(CallbacksQuery, it))),
    },
    {
      method: 'POST',
      path: '/v1/acquisitions/:id/call-back',
      gives,
      answer: async (it) => {
        const { reason } = readBody(Reason, await jsonBody(it.env.incoming));
        const of = { caller: it.var.caller, acquisitionId: it.req.param('id') ?? '', reason };
        return it.json(await callbacks.sendAgain(of), 202);
      },
    },
  ];
}
