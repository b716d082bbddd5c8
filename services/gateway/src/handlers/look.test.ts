// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Integration } from '@impound/contracts/integration.ts';
import type { Ask } from '@impound/runtime/ask.ts';
import type { Caller } from '../domain/caller.ts';
import { Refusal } from '../domain/problem.ts';
import { lookAround } from './look.ts';

function caller(own: { clusters: string[]; namespaces: string[] }): Caller {
  const named = { id: 'siem', kind: 'integration', tenant: 'default', credentials: [] };
  const integration = Integration.parse({ ...named, ...own });
  const actor = { id: 'siem', kind: 'integration' as const, authn: 'bearer-token' as const };
  return { actor, tenant: integration.tenant, integration };
}

/** A discovery that sees two of everything, and what it was asked for. */
function sight() {
  const asked: object[] = [];
  const kinds = (look: { cluster?: string; namespace?: string }) =>
    look.namespace ? 'container' : look.cluster ? 'namespace' : 'cluster';
  const ask = (async (_: unknown, look: object) => {
    asked.push(look);
    const names = { cluster: ['prod-eu', 'other'], namespace: ['shop', 'pay'], container: ['a/b'] };
    const kind = kinds(look);
    return { items: names[kind].map((name) => ({ kind, name, marks: [] })), gaps: ['a gap'] };
  }) as unknown as Ask;
  const look = lookAround({ ask }, AbortSignal.timeout(10_000));
  const names = async (by: Caller, at: object) => {
    const { items } = (await look(by, { limit: 5, ...at })) as { items: { name: string }[] };
    return items.map(({ name }) => name);
  };
  return { asked, names };
}

test('nobody sees clusters, namespaces and containers beside their own', async () => {
  const { asked, names } = sight();
  const bound = caller({ clusters: ['prod-eu'], namespaces: ['shop'] });
  assert.deepEqual(await names(bound, {}), ['prod-eu']);
  assert.deepEqual(await names(bound, { cluster: 'prod-eu' }), ['shop']);
  assert.deepEqual(await names(bound, { cluster: 'prod-eu', namespace: 'shop' }), ['a/b']);
  assert.equal(asked.length, 3);
  for (const at of [{ cluster: 'other' }, { cluster: 'prod-eu', namespace: 'pay' }]) {
    const refused = (error: unknown) => error instanceof Refusal && error.code === 'forbidden';
    await assert.rejects(names(bound, at), refused);
  }
  assert.equal(asked.length, 3, 'discovery is not even asked');
});

test('who has all of them sees all of them', async () => {
  const { names } = sight();
  const free = caller({ clusters: ['*'], namespaces: ['*'] });
  assert.deepEqual(await names(free, {}), ['prod-eu', 'other']);
  assert.deepEqual(await names(free, { cluster: 'other' }), ['shop', 'pay']);
  assert.deepEqual(await names(free, { cluster: 'other', namespace: 'pay' }), ['a/b']);
});
