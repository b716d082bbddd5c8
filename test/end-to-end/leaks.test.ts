// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leaksIn } from './leaks.ts';

const SECRET = 'k9"/Tz-ü+Qw4&=7 Lm\\2xP0vRb6';
const SECRETS = new Map([['planted', SECRET]]);

const around = (text: string | Buffer) => new Map([['here', [text]]]);
const FORMS: readonly (readonly [string, string | Buffer])[] = [
  ['as it is', `a line with ${SECRET} in it`],
  ['as bytes', Buffer.from(`\0\x01${SECRET}\xff`)],
  ['in hex', Buffer.from(`ab${SECRET}`).toString('hex')],
  ['in upper-case hex', Buffer.from(SECRET).toString('hex').toUpperCase()],
  ['URL-encoded', `?q=${encodeURIComponent(SECRET)}&r=1`],
  ['percent-encoded', [...Buffer.from(SECRET)].map((one) => `%${one.toString(16)}`).join('')],
  ['in JSON', JSON.stringify({ a: SECRET })],
  ['in JSON in JSON', JSON.stringify({ msg: JSON.stringify({ a: SECRET }) })],
  ['a piece of twelve', `x${SECRET.slice(12, 24)}x`],
  ...[0, 1, 2].flatMap(
    (offset) =>
      [
        [
          `in base64 after ${offset} bytes`,
          Buffer.from('x'.repeat(offset) + SECRET).toString('base64'),
        ],
        [
          `in base64url before others, after ${offset}`,
          Buffer.from(`${'x'.repeat(offset)}${SECRET}more`).toString('base64url'),
        ],
      ] as const,
  ),
];

for (const [how, text] of FORMS) {
  test(`a planted secret is found ${how}`, () => {
    assert.deepEqual(leaksIn(around(text), SECRETS), ['planted in here']);
  });
}

test('what is not there is not found', () => {
  assert.deepEqual(leaksIn(around(`x${SECRET.slice(12, 23)}x and other words`), SECRETS), []);
  assert.deepEqual(leaksIn(around(''), SECRETS), []);
});
