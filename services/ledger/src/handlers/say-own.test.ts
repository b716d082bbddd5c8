// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GuardsBrokenV1 } from '@impound/contracts/guards/broken.v1.ts';
import { newId } from '@impound/runtime/ids.ts';
import { nodeTools } from '../adapters/node-tools.ts';
import { openQueue } from './queue.ts';
import { sayingOwn } from './say-own.ts';

const HASHED = { entryHash: 'a'.repeat(64), repeated: false, differs: false };
const DATA = GuardsBrokenV1.shape.parse(GuardsBrokenV1.example);

function speaker() {
  const queue = openQueue();
  const stop = new AbortController();
  const sayOwn = sayingOwn(newId(), queue, nodeTools('test'));
  return { queue, stop, say: () => sayOwn(GuardsBrokenV1, DATA, stop.signal) };
}

test('what the log says of itself waits for its turn among the says of others', async () => {
  const { queue, say } = speaker();
  const said = say();
  assert.equal(queue.waiting.length, 1);
  queue.waiting[0]?.answer({ ok: true, seq: 7, version: 1, ...HASHED });
  assert.equal(await said, 7);
});

for (const when of ['before it is said', 'while it waits'] as const) {
  test(`a term that ends ${when} holds up nobody who says something in it`, async () => {
    const { stop, say } = speaker();
    if (when === 'before it is said') stop.abort();
    const said = say();
    stop.abort();
    await assert.rejects(said, /said too late/);
  });
}
