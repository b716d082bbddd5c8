// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { isSigned, isTimely, signatureOf } from './webhook-signature.ts';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const OTHER = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;
const AT = 1_795_000_000;
const BODY = '{"reason":"ein Würfel \u{1f3b2}","n":1.0}';
const signed = (signature: string, id = 'msg_1', timestamp = String(AT)) => ({
  id,
  timestamp,
  signature,
});
const foreign = (secret: string, id = 'msg_1', body = BODY) =>
  new Webhook(secret).sign(id, new Date(AT * 1_000), body);
const bytes = (text: string) => new TextEncoder().encode(text);

test('what the Standard Webhooks library signs is signed, and what we sign it verifies', () => {
  assert.equal(isSigned(SECRET, signed(foreign(SECRET)), bytes(BODY)), true);
  const now = Math.floor(Date.now() / 1_000);
  const ours = { id: 'msg_2', timestamp: String(now) };
  const headers = {
    'webhook-id': ours.id,
    'webhook-timestamp': ours.timestamp,
    'webhook-signature': signatureOf(SECRET, ours, BODY),
  };
  assert.deepEqual(new Webhook(SECRET).verify(BODY, headers), JSON.parse(BODY));
});

test('one good signature among several is enough, as in a rotation', () => {
  const both = `${foreign(OTHER)} ${foreign(SECRET)}`;
  assert.equal(isSigned(SECRET, signed(both), bytes(BODY)), true);
  const many = `${'v1,AAAA '.repeat(16)}${foreign(SECRET)}`;
  assert.equal(
    isSigned(SECRET, signed(many), bytes(BODY)),
    false,
    'a list without end is not read',
  );
});

const WRONG: readonly (readonly [string, ReturnType<typeof signed>, string])[] = [
  ['another secret', signed(foreign(OTHER)), BODY],
  ['another id', signed(foreign(SECRET), 'msg_2'), BODY],
  ['another time', signed(foreign(SECRET), 'msg_1', String(AT + 1)), BODY],
  ['another body', signed(foreign(SECRET)), BODY.replace('1.0', '1')],
  ['another scheme', signed(foreign(SECRET).replace('v1,', 'v1a,')), BODY],
  ['no signature', signed(''), BODY],
  ['half a signature', signed(foreign(SECRET).slice(0, 20)), BODY],
  ['commas in place of spaces', signed(`${foreign(OTHER)},${foreign(SECRET)}`), BODY],
];

for (const [what, headers, body] of WRONG) {
  test(`${what} is not signed`, () => {
    assert.equal(isSigned(SECRET, headers, bytes(body)), false);
  });
}

const TIMES = [
  [String(AT), true],
  [String(AT - 300), true],
  [String(AT + 300), true],
  [String(AT - 301), false],
  [String(AT + 301), false],
  [`${AT}.5`, false],
  ['', false],
  ['-1', false],
  ['9'.repeat(400), false],
  ['0x6afdd2c0', false],
] as const;

for (const [timestamp, timely] of TIMES) {
  test(`the timestamp ${timestamp.slice(0, 20)} is ${timely ? '' : 'not '}timely`, () => {
    assert.equal(isTimely(signed('', 'msg_1', timestamp), AT * 1_000), timely);
  });
}
