// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Log } from '@impound/runtime/log.ts';
import { IN_HAND_MAX } from '../domain/limits.ts';
import { Refusal } from '../domain/problem.ts';
import type { Doorkeeper } from './doorkeeper.ts';
import { openApp } from './http-server.ts';

test('who comes while too many orders are in hand is told so, and not kept waiting', async () => {
  const shut = Promise.withResolvers<never>();
  const door = { byToken: () => shut.promise } as unknown as Doorkeeper;
  const log = { error: assert.fail } as unknown as Log;
  const app = openApp({ door, health: async () => ({ status: 'ok' }), document: {} }, log);
  const incoming = { rawHeaders: [], headersDistinct: { authorization: ['Bearer one'] } };
  const ask = async (method: string) =>
    await app.fetch(new Request('http://door/v1/acquisitions', { method }), { incoming } as never);
  const waiting = Array.from({ length: IN_HAND_MAX }, () => ask('POST'));
  const answer = await ask('POST');
  assert.equal(answer.status, 503);
  assert.equal(answer.headers.get('retry-after'), '2');
  assert.match(((await answer.json()) as { detail: string }).detail, /in hand: try again/);
  const looking = ask('GET');
  shut.reject(new Refusal('token-refused', 'nobody is known'));
  const statuses = (await Promise.all([looking, ...waiting])).map(({ status }) => status);
  assert.deepEqual(new Set(statuses), new Set([401]), 'all others were let in');
  assert.equal((await ask('POST')).status, 401, 'there is room again');
});
