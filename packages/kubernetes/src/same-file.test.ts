// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { whileUnchanged } from './same-file.ts';

const TOUCHED_MS = Date.parse('2026-11-23T09:00:00Z');
const TOUCHED_NS = BigInt(TOUCHED_MS) * 1_000_000n;
const about = { dev: 1n, ino: 2n, size: 3n, mtimeNs: TOUCHED_NS, ctimeNs: TOUCHED_NS };

/** A file of which every look tells the same, so many milliseconds after it was touched. */
function standing(t: TestContext, afterMs: number) {
  t.mock.timers.enable({ apis: ['Date'], now: TOUCHED_MS + afterMs });
  const content = { text: 'first' };
  return {
    content,
    read: whileUnchanged(
      async () => ({ ...content }),
      () => about,
    ),
  };
}

test('a file that is written again within a tick of its clock is another one', async (t) => {
  const { content, read } = standing(t, 1);
  assert.deepEqual(await read('kubeconfig'), { text: 'first' });
  content.text = 'second';
  assert.deepEqual(await read('kubeconfig'), { text: 'second' });
});

test('what was made of a file that has stood stays until it is another one', async (t) => {
  const { read } = standing(t, 60_000);
  assert.equal(await read('kubeconfig'), await read('kubeconfig'));
});

test('a file that cannot be looked at is read each time', async () => {
  const read = whileUnchanged(
    async () => ({}),
    () => {
      throw new Error('it is gone');
    },
  );
  assert.notEqual(await read('kubeconfig'), await read('kubeconfig'));
});
