// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readProbe } from './scripts.ts';

test('a probe that tells all is read with its numbers', () => {
  assert.deepEqual(readProbe('unreadable 13 65532 0 0000000000000400\n'), {
    verdict: 'unreadable',
    pid: 13,
    ids: { user: 65_532, group: 0, capabilities: 0x400n },
  });
});

test('ids that the kernel does not tell are absent', () => {
  assert.deepEqual(readProbe('absent - - - -'), { verdict: 'absent', pid: 0, ids: undefined });
});

const BROKEN = ['', 'sh: readlink: not found', 'readable', 'readable 1 0 0 0\nreadable 2 0 0 0'];
for (const text of BROKEN) {
  test(`${JSON.stringify(text)} is no answer of a probe`, () => {
    assert.equal(readProbe(text), undefined);
  });
}
