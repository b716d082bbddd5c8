// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcquisitionId } from '@impound/contracts/ids.ts';
import { Integrations } from '@impound/contracts/integration.ts';
import type { Ask } from '@impound/runtime/ask.ts';
import { callerOf } from '../domain/caller.ts';
import { openBounds } from './bounds.ts';

const ID = '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01';
const CHAIN = { tenant: 'default', acquisitionId: AcquisitionId.parse(ID), seq: 0, version: 1 };
const MOST = 3;

/** The bound of one integration, before a ledger that holds so many open chains. */
function bound() {
  const one = {
    id: 'siem',
    kind: 'integration',
    tenant: 'default',
    credentials: [{ kind: 'token', id: 'key-1', sha256: '0'.repeat(64) }],
    clusters: ['*'],
    namespaces: ['*'],
    limits: { openMax: MOST },
  };
  const [integration] = Integrations.parse({
    version: 1,
    integrations: [one],
    changes: [],
  }).integrations;
  const [credential] = integration?.credentials ?? [];
  assert.ok(integration && credential);
  const world = { open: 0, nowMs: 0, counts: 0 };
  const ask = (async (_question: unknown, { limit }: { limit: number }) => {
    world.counts += 1;
    return { chains: Array.from({ length: Math.min(world.open, limit) }, () => CHAIN) };
  }) as unknown as Ask;
  const caller = callerOf(integration, credential, 'bearer-token');
  const bounds = openBounds({ ask, now: () => world.nowMs });
  const begin = async (openMax = MOST) => {
    const begun = async () => {
      world.open += 1;
    };
    const limits = { ...integration.limits, openMax };
    const now = { ...caller, integration: { ...integration, limits } };
    await bounds.opening(now, begun, new AbortController().signal);
  };
  return { world, begin, isFull: () => bounds.isFull(caller) };
}

const FULL = { code: 'too-many', message: /^3 acquisitions of siem are open/ };

test('many who come while all places are taken make the ledger count once', async () => {
  const { world, begin } = bound();
  world.open = MOST;
  const all = await Promise.allSettled(Array.from({ length: 50 }, () => begin()));
  assert.deepEqual(new Set(all.map(({ status }) => status)), new Set(['rejected']));
  await assert.rejects(begin(), FULL);
  assert.equal(world.counts, 1);
});

test('who comes back when it was told to finds the place that has become free', async () => {
  const { world, begin, isFull } = bound();
  world.open = MOST;
  assert.equal(isFull(), false, 'nobody has counted');
  await assert.rejects(begin(), FULL);
  assert.equal(isFull(), true);
  world.open -= 1;
  world.nowMs = 1_000;
  assert.equal(isFull(), false);
  await begin();
  await assert.rejects(begin(), FULL);
});

test('after a count as many begin as there is room for, and the ledger is not asked', async () => {
  const { world, begin } = bound();
  for (let place = 0; place < MOST; place++) await begin();
  assert.equal(world.counts, 1);
  await assert.rejects(begin(), FULL);
  assert.equal(world.counts, 2);
});

test('another bound is in force with the next order, whatever was counted before', async () => {
  const { begin } = bound();
  await begin();
  await assert.rejects(begin(1), { code: 'too-many' });
  await begin();
  await assert.rejects(begin(2), { code: 'too-many' });
  await begin(4);
});
