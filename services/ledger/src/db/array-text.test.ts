// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arrayText } from './array-text.ts';

test('an array as text quotes every text, and escapes what would end the quotes', () => {
  assert.equal(
    arrayText(['a', 'NULL', '', 'x"y', String.raw`c:\d`, '{,}']),
    String.raw`{"a","NULL","","x\"y","c:\\d","{,}"}`,
  );
});

test('an array as text tells nothing from the text NULL, and numbers and truth as they are', () => {
  assert.equal(arrayText([null, 'NULL', 1, true, false]), '{NULL,"NULL",1,true,false}');
  assert.equal(arrayText([]), '{}');
});

test('an array as text holds bytes as Postgres reads them', () => {
  assert.equal(arrayText([Buffer.of(0, 255), Buffer.of()]), String.raw`{"\\x00ff","\\x"}`);
});
