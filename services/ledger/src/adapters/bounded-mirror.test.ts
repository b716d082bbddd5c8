// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Later } from '@impound/runtime/fault.ts';
import { boundedMirror } from './bounded-mirror.ts';

const NOTHING = Buffer.alloc(0);
const FILE_MS_MAX = 20;
const never = () => Promise.withResolvers<never>().promise;
const silent = { name: 'mirror /mnt/gone', read: never, add: never, replace: never };

const WAYS = {
  read: (signal: AbortSignal, ms?: number) => boundedMirror(silent, ms).read('checkpoint', signal),
  add: (signal: AbortSignal, ms?: number) => boundedMirror(silent, ms).add('t', NOTHING, signal),
  replace: (signal: AbortSignal, ms?: number) =>
    boundedMirror(silent, ms).replace('checkpoint', NOTHING, signal),
};

for (const [name, way] of Object.entries(WAYS)) {
  test(`a mirror that is silent is given up: ${name}`, async (t) => {
    await assert.rejects(way(t.signal, FILE_MS_MAX), (error) => {
      assert.ok(error instanceof Later);
      assert.equal(error.message, `mirror /mnt/gone has not answered within ${FILE_MS_MAX} ms`);
      return true;
    });
  });

  test(`who stops waits for no mirror: ${name}`, async () => {
    const stop = new AbortController();
    const waiting = way(stop.signal);
    stop.abort(new Error('stopped'));
    await assert.rejects(waiting, /stopped/);
  });
}

test('what a mirror says for itself is left as it is', async (t) => {
  const full = { ...silent, add: async () => Promise.reject(new Error('no room')) };
  await assert.rejects(boundedMirror(full).add('t', NOTHING, t.signal), /^Error: no room$/);
});
