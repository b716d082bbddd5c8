// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ascii, visible } from './visible.ts';

test('what turns text around, has no width or steers a terminal is shown by its number', () => {
  assert.equal(visible('invoice\u202efdp.exe'), 'invoice\\u{202e}fdp.exe');
  assert.equal(
    visible('a\u200bb\ufeffc\u0007d\u2028e\u00a0f'),
    'a\\u{200b}b\\u{feff}c\\u{7}d\\u{2028}e\\u{a0}f',
  );
  assert.equal(visible('\ud800'), '\\u{d800}');
  assert.equal(visible('\u{e0041}'), '\\u{e0041}');
});

test('letters of any script stay as they are where they can be seen', () => {
  assert.equal(visible('Überfall на сервер 侵入'), 'Überfall на сервер 侵入');
});

test('for a court a letter that looks like another one is shown by its number', () => {
  assert.equal(ascii('pаypal — x'), 'p\\u{430}ypal \\u{2014} x');
});
