// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CaseId, text } from '@impound/contracts/ids.ts';
import { Profile } from '@impound/contracts/methods.ts';
import { Order } from '@impound/contracts/order.ts';
import { parseTarget } from '@impound/contracts/target.ts';
import * as z from 'zod';
import { orderFrom, Preset } from '../domain/ingest.ts';
import { readBody } from '../domain/order.ts';
import { Refusal } from '../domain/problem.ts';
import { type Acquisitions, answerOrder, readQuery } from './http-acquisitions.ts';
import { jsonBody } from './http-body.ts';
import type { Request, Route } from './http-server.ts';

const HOME = fileURLToPath(new URL('../ingest/', import.meta.url));

/** What the URL adds to an alert, because few alerts name their cluster. */
export const IngestQuery = z.strictObject({
  cluster: text(256).optional(),
  case: CaseId.optional(),
  profile: Profile.optional(),
  /** Present: shows the order and begins nothing. */
  'dry-run': z.enum(['', 'true', '1']).optional(),
});

/** The presets of the house, by name. */
export async function readPresets(): Promise<ReadonlyMap<string, Preset>> {
  const names = (await readdir(HOME)).filter((name) => name.endsWith('.json'));
  const read = names.map(async (name) => {
    const preset = Preset.parse(JSON.parse(await readFile(join(HOME, name), 'utf8')));
    return [name.slice(0, -'.json'.length), preset] as const;
  });
  return new Map(await Promise.all(read));
}

/** Takes alerts as their products send them. */
export function ingestRoute(behind: Acquisitions, presets: ReadonlyMap<string, Preset>): Route {
  return {
    method: 'POST',
    path: '/v1/ingest/:preset',
    gives: 'application/json',
    submits: true,
    answer: async (request) => {
      const order = await orderOf(request, presets);
      if (request.req.query('dry-run') !== undefined) return request.json({ order });
      return await answerOrder(request, order, behind);
    },
  };
}

async function orderOf(request: Request, presets: ReadonlyMap<string, Preset>): Promise<Order> {
  const preset = presets.get(request.req.param('preset') ?? '');
  if (preset === undefined) {
    throw new Refusal('not-found', `there are ${[...presets.keys()].toSorted().join(', ')}`);
  }
  const query = readQuery(IngestQuery, request);
  const alert = await jsonBody(request.env.incoming);
  const order = readBody(Order, orderFrom(preset, alert, query));
  refuseTarget(order.target);
  return order;
}

function refuseTarget(target: string): void {
  try {
    parseTarget(target);
  } catch {
    throw new Refusal('order-refused', `the alert names no container: ${target.slice(0, 256)}`, [
      { path: 'target', message: 'no target' },
    ]);
  }
}
