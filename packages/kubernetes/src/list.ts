// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { getJson, type ReadCall } from './api.ts';
import type { ClusterConnection } from './connection.ts';
import { KubernetesFault } from './fault.ts';

/** A list request; `limit` and `continue` are added here. */
export interface ListCall extends ReadCall {
  /** Most items that are returned; more are not fetched. */
  readonly itemsMax: number;
}

/** Items of a list, as JSON, all of one resourceVersion. */
export interface Listed {
  readonly items: readonly unknown[];
  readonly resourceVersion: string;
  /** True when the cluster has more than `itemsMax`. */
  readonly cut: boolean;
}

/** Items asked for in one page. */
export const PAGE_ITEMS_MAX = 500;

/** Starts over that a list makes when its continue token expires (410) on the way. */
const RESTARTS_MAX = 1;

const Page = z.object({
  metadata: z.object({ resourceVersion: z.string().catch(''), continue: z.string().optional() }),
  items: z.array(z.unknown()).nullable(),
});

/**
 * Reads a list page by page (Kubernetes API concepts, "Retrieving large results sets in chunks").
 * Throws `gone` if the list expires twice, `malformed-answer` if the server runs in circles.
 */
export async function list(
  connection: ClusterConnection,
  call: ListCall,
  signal: AbortSignal,
): Promise<Listed> {
  for (let restarts = 0; ; restarts += 1) {
    try {
      return await listOnce(connection, call, signal);
    } catch (error) {
      const expired = error instanceof KubernetesFault && error.code === 'gone';
      if (!expired || restarts >= RESTARTS_MAX) throw error;
    }
  }
}

async function listOnce(
  connection: ClusterConnection,
  call: ListCall,
  signal: AbortSignal,
): Promise<Listed> {
  const items: unknown[] = [];
  const tokens = new Set<string>();
  let token: string | undefined;
  let resourceVersion = '';
  do {
    const limit = Math.min(PAGE_ITEMS_MAX, call.itemsMax - items.length);
    const query = { ...call.query, limit, continue: token };
    const page = pageOf(await getJson(connection, { ...call, query }, signal), call.path);
    resourceVersion ||= page.metadata.resourceVersion;
    items.push(...(page.items ?? []).slice(0, limit));
    token = page.metadata.continue || undefined;
    if ((page.items ?? []).length > limit) return { items, resourceVersion, cut: true };
    if (token !== undefined) refuseCircle(tokens, token, page.items ?? [], call.path);
  } while (token !== undefined && items.length < call.itemsMax);
  return { items, resourceVersion, cut: token !== undefined };
}

function pageOf(json: unknown, path: readonly string[]) {
  const page = Page.safeParse(json);
  if (page.success) return page.data;
  throw malformed(path, 'is not a list');
}

/** A page without items is legal, a token that comes again is not; both together never end. */
function refuseCircle(
  tokens: Set<string>,
  token: string,
  items: readonly unknown[],
  path: readonly string[],
): void {
  const empty = items.length === 0 && tokens.size >= PAGE_ITEMS_MAX;
  if (tokens.has(token) || empty) throw malformed(path, 'never comes to an end');
  tokens.add(token);
}

function malformed(path: readonly string[], why: string): KubernetesFault {
  return new KubernetesFault(
    'malformed-answer',
    `the answer to ${path.join('/')} ${why}; check that the address is an API server`,
  );
}
