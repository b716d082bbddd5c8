// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message } from '@impound/runtime/message.ts';
import { contextStored } from './context-stored.ts';

test('a stored context is advanced at the version that was heard', async () => {
  const asked: unknown[] = [];
  const chains = { advance: async (...given: unknown[]) => void asked.push(given) };
  const { signal } = new AbortController();
  const message = { acquisitionId: 'a', version: 7 } as Message<never>;
  const said = await contextStored(message, { chains }, signal);
  assert.deepEqual(asked, [[message, signal]]);
  assert.equal(said, undefined);
});
