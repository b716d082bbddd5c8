// SPDX-License-Identifier: Apache-2.0
import { Count, text } from '@impound/contracts/ids.ts';
import { routed } from '@impound/runtime/http-watch.ts';
import { type EntryBundle, readTilePath, type Tile } from '@impound/transparency/tile.ts';
import * as z from 'zod';
import { Refusal } from '../domain/problem.ts';
import type { BundleWanted } from '../handlers/bundle.ts';
import type { LogReads } from '../handlers/log-read.ts';
import { readQuery } from './http-acquisitions.ts';
import type { App, Request, Route } from './http-server.ts';

const whole = z.coerce.number().pipe(Count);
/** From which size to which. */
export const ConsistencyQuery = z.strictObject({ from: whole, to: whole });
/** The first and the last entry, by their indexes, and the size that a proof leads to. */
export const StampsQuery = z.strictObject({ first: whole, last: whole, size: whole });
/** The size that proofs lead to, and the index behind which they begin. */
export const SignersQuery = z.strictObject({ size: whole, after: whole.optional() });
/** The size that proofs lead to, and the entry after which they begin. */
export const ProofQuery = z.strictObject({ size: whole, after: whole.default(0) });

/** The size of the checkpoint below which the newest root over heads is taken. */
export const HeadQuery = z.strictObject({ size: whole });

/** What a bundle of entries is wanted for: it goes on record. */
export const BundleQuery = z.strictObject({
  purpose: text(1_024).default('a copy of the log'),
});

const JSON_TYPE = 'application/json';
const BYTES_TYPE = 'application/octet-stream';
const NOTE_TYPE = 'text/plain; charset=utf-8';
/** A checkpoint is soon followed by the next; a tile never changes. */
const SOON = 'no-cache';
const FOREVER = 'public, max-age=31536000, immutable';

/** What known callers may ask of the log. */
export function logRoutes(log: LogReads): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/log',
      gives: JSON_TYPE,
      answer: async (it) => it.json(await log.newest()),
    },
    {
      method: 'GET',
      path: '/v1/log/consistency',
      gives: JSON_TYPE,
      answer: async (it) => it.json(await log.consistency(readQuery(ConsistencyQuery, it))),
    },
    {
      method: 'GET',
      path: '/v1/log/stamps',
      gives: JSON_TYPE,
      answer: async (it) => it.json(await log.stamps(readQuery(StampsQuery, it))),
    },
    {
      method: 'GET',
      path: '/v1/log/signers',
      gives: JSON_TYPE,
      answer: async (it) => it.json(await log.signers(readQuery(SignersQuery, it))),
    },
    {
      method: 'GET',
      path: '/v1/acquisitions/:id/proof',
      gives: JSON_TYPE,
      answer: async (it) => {
        const query = readQuery(ProofQuery, it);
        const of = { id: it.req.param('id') ?? '', ...query };
        return it.json(await log.places(it.var.caller, of));
      },
    },
    {
      method: 'GET',
      path: '/v1/acquisitions/:id/head',
      gives: JSON_TYPE,
      answer: async (it) => {
        const of = { id: it.req.param('id') ?? '', ...readQuery(HeadQuery, it) };
        return it.json(await log.head(it.var.caller, of));
      },
    },
  ];
}

/** The entries behind the hashes of a tile, for auditors: `bundling` records the reading first. */
export function bundleRoute(bundling: (wanted: BundleWanted) => Promise<Buffer>): Route {
  return {
    method: 'GET',
    path: '/tile/entries/*',
    gives: BYTES_TYPE,
    leaves: true,
    answer: async (it) => {
      const { purpose } = readQuery(BundleQuery, it);
      const bundle = tileAt(it.req.path.slice(1));
      const { caller } = it.var;
      const bytes = await bundling({ caller, bundle, purpose });
      return it.body(new Uint8Array(bytes), 200, { 'content-type': BYTES_TYPE });
    },
  };
}

/**
 * The log in the layout of C2SP tlog-tiles, for anybody: checkpoints and hashes. Under /sigsum the
 * same tree has the name that sigsum gives it.
 */
export function addLog(app: App, { anybody }: LogReads): void {
  for (const [prefix, head] of [
    ['', 'own'],
    ['/sigsum', 'sigsum'],
  ] as const) {
    app.get(`${prefix}/checkpoint`, async (it) => {
      routed(`${prefix}/checkpoint`);
      return it.body(await anybody.checkpoint(head), 200, headers(NOTE_TYPE, SOON));
    });
    app.get(`${prefix}/tile/*`, async (it) => {
      routed(`${prefix}/tile/*`);
      const bytes = await anybody.tile(tileOf(it, prefix));
      return it.body(new Uint8Array(bytes), 200, headers(BYTES_TYPE, FOREVER));
    });
  }
}

function headers(type: string, cache: string): Record<string, string> {
  const sniff = 'nosniff';
  return { 'content-type': type, 'cache-control': cache, 'x-content-type-options': sniff };
}

function tileOf(request: Request, prefix: string): Tile {
  const tile = tileAt(request.req.path.slice(prefix.length + 1));
  if ('level' in tile) return tile;
  throw new Refusal('not-found', 'auditors find entries at /tile/entries/<n>[.p/<width>]');
}

function tileAt(path: string): Tile | EntryBundle {
  const tile = readTilePath(path);
  if (tile !== undefined) return tile;
  throw new Refusal('not-found', 'tiles lie at /tile/<level>/<n>[.p/<width>]');
}
