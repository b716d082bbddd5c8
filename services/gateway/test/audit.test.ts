// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuditDeniedV1 } from '@impound/contracts/audit/denied.v1.ts';
import { house, LIMIT, problemOf } from './gateway-in-a-house.ts';

test('who may not read the log is told so, and that is on record', LIMIT, async (t) => {
  const { ask, ledger } = await house(t);
  const problem = await problemOf(await ask('/v1/audit?purpose=curious'), 403, 'forbidden');
  assert.match(problem.detail, /it may not read the log; on record in/);
  const [chain = ''] = /[0-9a-f-]{36}$/.exec(problem.detail) ?? [];
  const [denied] = ledger.chain(chain);
  const { filter, deniedTo } = AuditDeniedV1.shape.parse(denied?.event.data);
  assert.deepEqual([denied?.event.type, filter, deniedTo.id], ['audit.denied.v1', {}, 'siem']);
});

test('nobody reads the log without a purpose, or by a filter that is none', LIMIT, async (t) => {
  const { ask } = await house(t);
  for (const [query, where] of [
    ['', /^purpose/],
    ['purpose=x&type=everything', /^type/],
    ['purpose=x&recordedFrom=yesterday', /^recordedFrom/],
    ['purpose=x&limit=1001', /^limit/],
    ['purpose=x&tenant=other', /tenant/],
  ] as const) {
    const problem = await problemOf(await ask(`/v1/audit?${query}`), 400, 'query-refused');
    assert.match(problem.detail, where, query);
  }
  assert.equal((await ask('/v1/audit?purpose=x', { method: 'HEAD' })).status, 405);
});
