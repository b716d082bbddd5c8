// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { quoted } from './quote.ts';

/** What POSIX 2.2 makes of a word of single quoted pieces and escaped quotes. */
function unquoted(word: string): string {
  assert.match(word, /^('[^']*'|\\')+$/s);
  return word.replaceAll(/'([^']*)'|\\'/gs, (piece, inside) => (piece === "\\'" ? "'" : inside));
}

test('any bytes but NUL survive the quoting, and nothing stands outside the quotes', () => {
  const bytes = fc.uint8Array({ max: 255, maxLength: 200 }).map((some) => some.filter(Boolean));
  fc.assert(
    fc.property(bytes, (some) => {
      const word = quoted(some).toString('latin1');
      assert.equal(unquoted(word), Buffer.from(some).toString('latin1'));
    }),
  );
});

test('quotes in a row stay in a row', () => {
  assert.equal(quoted(Buffer.from("a''b")).toString(), "'a'\\'''\\''b'");
});

test('a path with a NUL is refused', () => {
  assert.throws(() => quoted(Buffer.from('a\0b')), RangeError);
});
