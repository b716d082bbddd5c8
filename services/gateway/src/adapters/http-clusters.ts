// SPDX-License-Identifier: Apache-2.0
import { text } from '@impound/contracts/ids.ts';
import * as z from 'zod';
import type { Caller } from '../domain/caller.ts';
import { DISCOVERY_DEFAULT, DISCOVERY_MAX } from '../domain/limits.ts';
import { readQuery } from './http-acquisitions.ts';
import type { Request, Route } from './http-server.ts';

/** What is looked for. */
export interface Look {
  readonly cluster?: string;
  readonly namespace?: string;
  readonly selector?: string;
  readonly limit: number;
}

/** Lists what there is to acquire. Throws Refusal. */
export type Looking = (caller: Caller, look: Look) => Promise<object>;

/** How many containers are wanted, and which. */
export const ContainersQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(DISCOVERY_MAX).default(DISCOVERY_DEFAULT),
  selector: text(512).optional(),
});
/** How many clusters or namespaces are wanted. */
export const PlainQuery = ContainersQuery.omit({ selector: true });
const BASE = '/v1/clusters';

export function clusterRoutes(looking: Looking): readonly Route[] {
  const route = (path: string, query: typeof ContainersQuery | typeof PlainQuery): Route => ({
    method: 'GET',
    path,
    gives: 'application/json',
    answer: async (request) =>
      request.json(await looking(request.var.caller, lookOf(request, query))),
  });
  return [
    route(BASE, PlainQuery),
    route(`${BASE}/:cluster/namespaces`, PlainQuery),
    route(`${BASE}/:cluster/namespaces/:namespace/containers`, ContainersQuery),
  ];
}

function lookOf(request: Request, query: typeof ContainersQuery | typeof PlainQuery): Look {
  const { limit, ...rest } = readQuery(query, request);
  const { cluster, namespace } = request.req.param() as Record<string, string | undefined>;
  const wanted = { cluster, namespace, selector: (rest as Partial<Look>).selector };
  const given = Object.entries(wanted).filter(([, value]) => value !== undefined);
  return { limit, ...Object.fromEntries(given) };
}
