// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cut, listed } from './sentence.ts';

test('a text that fits stays as it is, a longer one is cut with an ellipsis', () => {
  assert.equal(cut('abcd', 4), 'abcd');
  assert.equal(cut('abcde', 4), 'abc…');
});

test('a text is never cut inside a character', () => {
  for (let max = 2; max < 12; max++) {
    const short = cut('a🔒🔒🔒🔒🔒', max);
    assert.ok(short.isWellFormed() && short.length <= max, short);
  }
});

test('many long sentences share the room', () => {
  const sentences = Array.from({ length: 16 }, (_, at) => `${at}:`.padEnd(512, 'x'));
  const text = listed(sentences, 1_024);
  assert.ok(text.length <= 1_024);
  for (let at = 0; at < 16; at++) assert.ok(text.includes(`${at}:x`));
  assert.equal(listed(['one', 'two'], 1_024), 'one; two');
});
