// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message } from '@impound/runtime/message.ts';
import { acquisitionApproved } from './acquisition-approved.ts';

test('an approval is advanced at the version that was heard', async () => {
  const asked: unknown[] = [];
  const chains = { advance: async (...given: unknown[]) => void asked.push(given) };
  const where = { tenant: 'default', acquisitionId: 'a', version: 7 };
  const { signal } = new AbortController();
  const said = await acquisitionApproved(
    { ...where, id: 'e' } as Message<never>,
    { chains },
    signal,
  );
  assert.deepEqual(asked, [[where, signal]]);
  assert.equal(said, undefined);
});
